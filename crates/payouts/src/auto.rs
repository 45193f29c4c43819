//! Payouts that nobody has to ask for: all that is payable, once a month, for who wants that.

use crate::PayoutError;
use crate::change::Actor;
use crate::payout::Method;
use crate::policy;
use crate::request::{NewPayout, Payee, request};
use crate::sql::{malformed, one};
use failpoint::Point;
use ledger::account::{self, Account};
use sea_orm::{DatabaseConnection, TransactionTrait as _};
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
/// or whose payable balance is below the minimum. Running it again for the same time makes no second one. Says how many
/// it made.
///
/// # Errors
/// When the database fails. What was made until then stays.
pub async fn run(
    database: &DatabaseConnection,
    adapter: &impl crate::SettlementAdapter,
    due: OffsetDateTime,
) -> Result<u32, PayoutError> {
    let mut made = 0;
    let mut after = Uuid::nil();
    loop {
        match next(database, adapter.methods(), due, &mut after).await {
            Ok(None) => return Ok(made),
            Ok(Some(done)) => made += u32::from(done),
            Err(error) if error.is_of_this_one() => {
                tracing::info!(influencer = %after, cause = %error, "no payout this month");
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether one was made for the next influencer; `None` when there is no more.
async fn next(
    database: &DatabaseConnection,
    methods: &[Method],
    due: OffsetDateTime,
    after: &mut Uuid,
) -> Result<Option<bool>, PayoutError> {
    let tx = database.begin().await?;
    let sql = "SELECT i.id, i.user_id, i.payout_method, \
                   EXISTS (SELECT FROM payouts p WHERE p.influencer_id = i.id AND p.due_at = $2) AS made \
               FROM influencers i WHERE i.auto_payout AND i.id > $1 ORDER BY i.id LIMIT 1";
    let Some(row) = one(&tx, sql, [(*after).into(), due.into()]).await? else {
        return Ok(None);
    };
    let payee = Payee {
        user: row.try_get("", "user_id")?,
        id: row.try_get("", "id")?,
    };
    *after = payee.id;
    let method: String = row.try_get("", "payout_method")?;
    let method = Method::from_text(&method).ok_or_else(|| malformed("no such method"))?;
    if row.try_get::<bool>("", "made")? {
        return Ok(Some(false));
    }
    if !methods.contains(&method) {
        return Err(PayoutError::MethodUnavailable);
    }
    let amount = account::balance(&tx, Account::InfluencerPayable(payee)).await?;
    if amount < policy::current(&tx).await?.policy.minimum() {
        return Ok(Some(false));
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
    Ok(Some(true))
}
