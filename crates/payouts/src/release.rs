//! Earnings inside their holding period, and the end of it.

use crate::PayoutError;
use crate::policy::Terms;
use crate::sql::{amount, one, run as execute};
use crate::sweep::{self, Sweep};
use domain::Amount;
use failpoint::Point;
use ledger::account::{self, Account};
use ledger::posting::{self, Posting};
use ledger::{Influencer, TxKind};
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};
use service::clock;
use time::OffsetDateTime;
use uuid::Uuid;

/// An earning that was credited to `influencer:pending`.
#[derive(Debug, Clone)]
pub struct HeldEarning<'a> {
    /// Names it for ever.
    pub id: Uuid,
    /// Whose.
    pub influencer: Influencer,
    /// What kind of thing was earned.
    pub source: &'a str,
    /// Which one.
    pub source_ref: &'a str,
    /// How much.
    pub amount: Amount,
    /// The transaction that credited it.
    pub transaction_id: Uuid,
}

/// Where an earning of `influencer` goes under `terms`.
pub fn account_for(terms: &Terms, influencer: Influencer) -> Account {
    if terms.policy.holding_seconds() > 0 {
        Account::InfluencerPending(influencer)
    } else {
        Account::InfluencerPayable(influencer)
    }
}

/// Notes when `earning` becomes payable, if `terms` hold it.
///
/// # Errors
/// When the database fails.
pub async fn hold(
    tx: &DatabaseTransaction,
    terms: &Terms,
    earning: &HeldEarning<'_>,
) -> Result<(), DbErr> {
    if terms.policy.holding_seconds() == 0 || earning.amount.is_zero() {
        return Ok(());
    }
    let sql = "INSERT INTO held_earnings (id, influencer_id, user_id, source, source_ref, policy_id, amount, \
                   transaction_id, release_at) \
               SELECT $1, $2, $3, $4, $5, id, $7, $8, now() + make_interval(secs => holding_seconds) \
               FROM payout_policies WHERE id = $6";
    let values = [
        earning.id.into(),
        earning.influencer.id.into(),
        earning.influencer.user.into(),
        earning.source.into(),
        earning.source_ref.into(),
        terms.id.into(),
        earning.amount.to_i64().into(),
        earning.transaction_id.into(),
    ];
    execute(tx, sql, values).await.map(|_| ())
}

/// Looks at up to `limit` of the earnings whose holding period is over, the longest overdue first, and makes each payable
/// in a transaction of its own. Any number may do so at once. What is frozen is not looked at. Says how many it released.
///
/// # Errors
/// When the database cannot be used, at once; [`PayoutError::PassedOver`] in the end. What was released stays released.
pub async fn run(database: &DatabaseConnection, limit: u32) -> Result<u32, PayoutError> {
    let mut sweep = Sweep::default();
    let mut after = (OffsetDateTime::UNIX_EPOCH, Uuid::nil());
    for _ in 0..limit {
        let tx = sweep::begin(database).await?;
        let Some(due) = next(&tx, &mut after).await? else {
            break;
        };
        sweep.note(due.id, release(tx, &due).await)?;
    }
    let frozen = frozen(database).await?;
    if frozen > 0 {
        tracing::warn!(frozen, "earnings of frozen accounts wait to become payable");
    }
    sweep.end()
}

/// An earning that is due.
struct Due {
    id: Uuid,
    influencer: Influencer,
    amount: Amount,
}

/// Whether the money of a held earning `h` is frozen.
const FROZEN: &str = "EXISTS (SELECT FROM ledger_account a WHERE a.kind = 'influencer:pending' \
    AND a.owner = h.user_id AND a.subject = h.influencer_id AND a.frozen)";

/// Locks the first earning after the place and moves the place there; `None` when there is none.
async fn next(
    tx: &DatabaseTransaction,
    after: &mut (OffsetDateTime, Uuid),
) -> Result<Option<Due>, PayoutError> {
    let sql = format!(
        "SELECT id, influencer_id, user_id, amount, release_at FROM held_earnings h \
         WHERE released_at IS NULL AND release_at <= now() AND (release_at, id) > ($1, $2) AND NOT {FROZEN} \
         ORDER BY release_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED"
    );
    let Some(row) = one(tx, &sql, [after.0.into(), after.1.into()]).await? else {
        return Ok(None);
    };
    let due = Due {
        id: row.try_get("", "id")?,
        influencer: Influencer {
            user: row.try_get("", "user_id")?,
            id: row.try_get("", "influencer_id")?,
        },
        amount: amount(&row, "amount")?,
    };
    *after = (row.try_get("", "release_at")?, due.id);
    Ok(Some(due))
}

/// How many earnings that are due are frozen.
async fn frozen(database: &DatabaseConnection) -> Result<i64, PayoutError> {
    let sql = format!(
        "SELECT count(*) AS frozen FROM held_earnings h \
         WHERE released_at IS NULL AND release_at <= now() AND {FROZEN}"
    );
    let row = one(database, &sql, []).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "frozen"))?)
}

async fn release(tx: DatabaseTransaction, due: &Due) -> Result<bool, PayoutError> {
    let accounts = (
        Account::InfluencerPending(due.influencer),
        Account::InfluencerPayable(due.influencer),
    );
    account::open(&tx, &[accounts.0, accounts.1]).await?;
    let posting = Posting::transfer(
        TxKind::CommissionReleased,
        due.id.to_string(),
        clock::now_ms(),
        accounts,
        due.amount,
    )?;
    let transaction = posting.id().as_uuid();
    posting::post(&tx, &[posting]).await?;
    failpoint::here(Point::EarningReleasePosted);
    let sql =
        "UPDATE held_earnings SET released_at = now(), release_transaction_id = $2 WHERE id = $1";
    execute(&tx, sql, [due.id.into(), transaction.into()]).await?;
    tx.commit().await?;
    failpoint::here(Point::EarningReleaseAfterCommit);
    Ok(true)
}
