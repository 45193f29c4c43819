//! Payouts that nobody has to ask for: all that is payable, once a month, for who wants that.

use crate::PayoutError;
use crate::change::Actor;
use crate::payout::Method;
use crate::policy;
use crate::request::{NewPayout, Payee, request};
use crate::sql::{malformed, one};
use crate::sweep::{self, Sweep};
use failpoint::Point;
use ledger::account::{self, Account};
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use service::access::Role;
use time::OffsetDateTime;
use uuid::Uuid;

/// The namespace of the ids of these payouts.
const NAMESPACE: Uuid = Uuid::from_u128(0x8d1c_51b2_3f0e_5c5e_9a77_0d6a_41c6_0003);

/// The id of the payout of `influencer` that is due at `due`.
pub fn id_of(influencer: Uuid, due: OffsetDateTime) -> Uuid {
    let name = format!("auto|{influencer}|{}", due.unix_timestamp());
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// Makes the payouts that are due at `due`, each in a transaction of its own. An influencer gets none who has an open one,
/// whose payable balance is below the minimum, or from whom the role was taken. Running it again for the same time makes no
/// second one. Says how many it made.
///
/// # Errors
/// When the database cannot be used, at once; [`PayoutError::PassedOver`] in the end. What was made stays made.
pub async fn run(
    database: &DatabaseConnection,
    adapter: &impl crate::SettlementAdapter,
    due: OffsetDateTime,
) -> Result<u32, PayoutError> {
    let mut sweep = Sweep::default();
    let mut after = Uuid::nil();
    loop {
        let tx = sweep::begin(database).await?;
        let Some(wish) = next(&tx, due, after).await? else {
            return sweep.end();
        };
        after = wish.payee.id;
        sweep.note(after, fulfil(tx, adapter.methods(), &wish, due).await)?;
    }
}

/// Of an influencer who wants to be paid each month and was not yet.
struct Wish {
    payee: Payee,
    method: Method,
}

/// That of the first influencer after `after`; `None` when there is no more.
async fn next(
    tx: &DatabaseTransaction,
    due: OffsetDateTime,
    after: Uuid,
) -> Result<Option<Wish>, PayoutError> {
    let sql = "SELECT i.id, i.user_id, i.payout_method FROM influencers i JOIN users u ON u.id = i.user_id \
               WHERE i.auto_payout AND i.id > $1 AND $3 = ANY (u.roles) \
                   AND NOT EXISTS (SELECT FROM payouts p WHERE p.influencer_id = i.id AND p.due_at = $2) \
               ORDER BY i.id LIMIT 1";
    let role = Role::Influencer.as_str().into();
    let Some(row) = one(tx, sql, [after.into(), due.into(), role]).await? else {
        return Ok(None);
    };
    let method: String = row.try_get("", "payout_method")?;
    Ok(Some(Wish {
        payee: Payee {
            user: row.try_get("", "user_id")?,
            id: row.try_get("", "id")?,
        },
        method: Method::from_text(&method).ok_or_else(|| malformed("no such method"))?,
    }))
}

/// Whether there was anything to pay.
async fn fulfil(
    tx: DatabaseTransaction,
    methods: &[Method],
    wish: &Wish,
    due: OffsetDateTime,
) -> Result<bool, PayoutError> {
    let Wish { payee, method } = *wish;
    if !methods.contains(&method) {
        return Err(PayoutError::MethodUnavailable);
    }
    let amount = account::balance(&tx, Account::InfluencerPayable(payee)).await?;
    if amount < policy::current(&tx).await?.policy.minimum() {
        return Ok(false);
    }
    let new = NewPayout {
        id: id_of(payee.id, due),
        payee,
        amount,
        method,
        wallet_address: None,
        due: Some(due),
    };
    request(&tx, &new, &Actor::Job("auto-payout")).await?;
    failpoint::here(Point::PayoutAutoBeforeCommit);
    tx.commit().await?;
    failpoint::here(Point::PayoutAutoAfterCommit);
    Ok(true)
}
