//! Earnings inside their holding period, and the end of it.

use crate::PayoutError;
use crate::policy::Terms;
use crate::sql::{amount, one, run as execute};
use domain::Amount;
use failpoint::Point;
use ledger::account::{self, Account};
use ledger::posting::{self, Posting};
use ledger::{Influencer, TxKind};
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait as _};
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

/// Makes up to `limit` of the earnings payable whose holding period is over, the longest overdue first, each in a
/// transaction of its own. Any number may do so at once. Says how many it released.
///
/// # Errors
/// When the database fails. What was released until then stays released.
pub async fn run(database: &DatabaseConnection, limit: u32) -> Result<u32, PayoutError> {
    let mut released = 0;
    let mut after = (OffsetDateTime::UNIX_EPOCH, Uuid::nil());
    while released < limit {
        match next(database, &mut after).await {
            Ok(None) => break,
            Ok(Some(())) => released += 1,
            Err(error) if error.is_of_this_one() || error.is_contention() => {
                tracing::warn!(earning = %after.1, cause = %error, "an earning cannot be released now");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(released)
}

async fn next(
    database: &DatabaseConnection,
    after: &mut (OffsetDateTime, Uuid),
) -> Result<Option<()>, PayoutError> {
    let tx = database.begin().await?;
    let sql = "SELECT id, influencer_id, user_id, amount, release_at FROM held_earnings \
               WHERE released_at IS NULL AND release_at <= now() AND (release_at, id) > ($1, $2) \
               ORDER BY release_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED";
    let Some(row) = one(&tx, sql, [after.0.into(), after.1.into()]).await? else {
        return Ok(None);
    };
    let id: Uuid = row.try_get("", "id")?;
    *after = (row.try_get("", "release_at")?, id);
    let influencer = Influencer {
        user: row.try_get("", "user_id")?,
        id: row.try_get("", "influencer_id")?,
    };
    let accounts = (
        Account::InfluencerPending(influencer),
        Account::InfluencerPayable(influencer),
    );
    account::open(&tx, &[accounts.0, accounts.1]).await?;
    let posting = Posting::transfer(
        TxKind::CommissionReleased,
        id.to_string(),
        clock::now_ms(),
        accounts,
        amount(&row, "amount")?,
    )?;
    let transaction = posting.id().as_uuid();
    posting::post(&tx, &[posting]).await?;
    failpoint::here(Point::EarningReleasePosted);
    let sql =
        "UPDATE held_earnings SET released_at = now(), release_transaction_id = $2 WHERE id = $1";
    execute(&tx, sql, [id.into(), transaction.into()]).await?;
    tx.commit().await?;
    failpoint::here(Point::EarningReleaseAfterCommit);
    Ok(Some(()))
}
