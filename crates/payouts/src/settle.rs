//! Paying what was approved.

use crate::adapter::{Payment, SettlementAdapter};
use crate::change::{Actor, With, apply};
use crate::payout::{COLUMNS, Payout, lock};
use crate::sql::one;
use crate::{PayoutError, decide};
use domain::payout::{Change, Refused, State};
use failpoint::Point;
use sea_orm::sea_query::ArrayType;
use sea_orm::{DatabaseConnection, DatabaseTransaction, TransactionTrait as _, Value};
use time::OffsetDateTime;
use uuid::Uuid;

/// Pays the payout `id`, waiting for whoever has it.
///
/// # Errors
/// [`PayoutError::NotFound`], [`PayoutError::State`] unless it is approved, [`PayoutError::MethodUnavailable`] when the
/// adapter does not pay by its method, and what keeps the adapter from it.
pub async fn one_now(
    tx: &DatabaseTransaction,
    adapter: &impl SettlementAdapter,
    id: Uuid,
) -> Result<Payout, PayoutError> {
    let payout = lock(tx, id).await?;
    pay(tx, adapter, &payout).await
}

/// Pays up to `limit` of the payouts that are approved, the oldest first, each in a transaction of its own. Any number may
/// do so at once: what another has in hand is passed over, and so is what cannot be paid now. Says how many it paid.
///
/// # Errors
/// When the database fails. What was paid until then stays paid.
pub async fn run(
    database: &DatabaseConnection,
    adapter: &impl SettlementAdapter,
    limit: u32,
) -> Result<u32, PayoutError> {
    let mut paid = 0;
    let mut after = Place::START;
    while paid < limit {
        match next(database, adapter, &mut after).await {
            Ok(None) => break,
            Ok(Some(())) => paid += 1,
            Err(error) if error.is_of_this_one() || error.is_contention() => {
                tracing::warn!(payout = %after.id, cause = %error, "a payout cannot be paid now");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(paid)
}

/// A place in the list of what is approved: everything up to it was looked at.
#[derive(Debug, Clone, Copy)]
struct Place {
    approved_at: OffsetDateTime,
    id: Uuid,
}

impl Place {
    const START: Self = Self {
        approved_at: OffsetDateTime::UNIX_EPOCH,
        id: Uuid::nil(),
    };
}

/// Pays the first payout after the place; `None` when there is none.
async fn next(
    database: &DatabaseConnection,
    adapter: &impl SettlementAdapter,
    after: &mut Place,
) -> Result<Option<()>, PayoutError> {
    let tx = database.begin().await?;
    let sql = format!(
        "SELECT {COLUMNS} FROM payouts \
         WHERE state = 'approved' AND method = ANY ($1::text[]) AND (approved_at, id) > ($2, $3) \
         ORDER BY approved_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED"
    );
    let methods = adapter.methods().iter();
    let methods = methods.map(|method| Value::from(method.as_str())).collect();
    let values = [
        Value::Array(ArrayType::String, Some(Box::new(methods))),
        after.approved_at.into(),
        after.id.into(),
    ];
    let Some(row) = one(&tx, &sql, values).await? else {
        return Ok(None);
    };
    let payout = Payout::read(&row)?;
    *after = Place {
        approved_at: payout.approved_at.unwrap_or(payout.requested_at),
        id: payout.id,
    };
    pay(&tx, adapter, &payout).await?;
    failpoint::here(Point::PayoutSettleBeforeCommit);
    tx.commit().await?;
    failpoint::here(Point::PayoutSettleAfterCommit);
    Ok(Some(()))
}

async fn pay(
    tx: &DatabaseTransaction,
    adapter: &impl SettlementAdapter,
    payout: &Payout,
) -> Result<Payout, PayoutError> {
    if payout.state != State::Approved {
        return Err(PayoutError::State(Refused {
            state: payout.state,
            change: Change::Pay,
        }));
    }
    if !adapter.methods().contains(&payout.method) {
        return Err(PayoutError::MethodUnavailable);
    }
    failpoint::here(Point::PayoutSettleLocked);
    let by = Actor::Adapter(adapter.name());
    match adapter.pay(tx, payout).await? {
        Payment::Paid(transaction) => {
            let with = With {
                transaction_id: Some(transaction),
                ..With::default()
            };
            apply(tx, payout, Change::Pay, &by, with).await
        }
        Payment::Step(change) => apply(tx, payout, change, &by, With::default()).await,
        Payment::Failed(reason) => decide::fail(tx, payout, &by, &reason).await,
    }
}
