//! Paying what was approved.

use crate::adapter::{Payment, SettlementAdapter};
use crate::change::{Actor, With, apply};
use crate::payout::{COLUMNS, Payout, lock};
use crate::sql::one;
use crate::sweep::{self, Sweep};
use crate::{PayoutError, decide};
use domain::payout::{Change, Refused, State};
use failpoint::Point;
use sea_orm::sea_query::ArrayType;
use sea_orm::{DatabaseConnection, DatabaseTransaction, Value};
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

/// Looks at up to `limit` of the payouts that are approved, the oldest first, and pays each in a transaction of its own.
/// Any number may do so at once: what another has in hand is passed over, and so is what cannot be paid now. What is
/// frozen is not looked at. Says how many it paid.
///
/// # Errors
/// When the database cannot be used, at once; [`PayoutError::PassedOver`] in the end. What was paid stays paid.
pub async fn run(
    database: &DatabaseConnection,
    adapter: &impl SettlementAdapter,
    limit: u32,
) -> Result<u32, PayoutError> {
    let mut sweep = Sweep::default();
    let mut after = Place::START;
    for _ in 0..limit {
        let tx = sweep::begin(database).await?;
        let Some(payout) = next(&tx, adapter, &mut after).await? else {
            break;
        };
        sweep.note(payout.id, settle(tx, adapter, &payout).await)?;
    }
    let frozen = frozen(database, adapter).await?;
    if frozen > 0 {
        tracing::warn!(frozen, "approved payouts of frozen accounts wait");
    }
    sweep.end()
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

/// Whether the money of a payout `p` is frozen.
const FROZEN: &str = "EXISTS (SELECT FROM ledger_account a \
    WHERE a.kind IN ('influencer:payable', 'influencer:reserved') \
        AND a.owner = p.user_id AND a.subject = p.influencer_id AND a.frozen)";

/// Locks the first payout after the place and moves the place there; `None` when there is none.
async fn next(
    tx: &DatabaseTransaction,
    adapter: &impl SettlementAdapter,
    after: &mut Place,
) -> Result<Option<Payout>, PayoutError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM payouts p \
         WHERE state = 'approved' AND method = ANY ($1::text[]) AND (approved_at, id) > ($2, $3) AND NOT {FROZEN} \
         ORDER BY approved_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED"
    );
    let values = [methods(adapter), after.approved_at.into(), after.id.into()];
    let Some(row) = one(tx, &sql, values).await? else {
        return Ok(None);
    };
    let payout = Payout::read(&row)?;
    *after = Place {
        approved_at: payout.approved_at.unwrap_or(payout.requested_at),
        id: payout.id,
    };
    Ok(Some(payout))
}

async fn settle(
    tx: DatabaseTransaction,
    adapter: &impl SettlementAdapter,
    payout: &Payout,
) -> Result<bool, PayoutError> {
    pay(&tx, adapter, payout).await?;
    failpoint::here(Point::PayoutSettleBeforeCommit);
    tx.commit().await?;
    failpoint::here(Point::PayoutSettleAfterCommit);
    Ok(true)
}

/// How many approved payouts are frozen.
async fn frozen(
    database: &DatabaseConnection,
    adapter: &impl SettlementAdapter,
) -> Result<i64, PayoutError> {
    let sql = format!(
        "SELECT count(*) AS frozen FROM payouts p \
         WHERE state = 'approved' AND method = ANY ($1::text[]) AND {FROZEN}"
    );
    let row = one(database, &sql, [methods(adapter)]).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "frozen"))?)
}

/// The methods of `adapter`, as an array of the database.
fn methods(adapter: &impl SettlementAdapter) -> Value {
    let methods = adapter.methods().iter();
    let methods = methods.map(|method| Value::from(method.as_str())).collect();
    Value::Array(ArrayType::String, Some(Box::new(methods)))
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
