//! Changing a payout: by compare-and-set, with a row of its history and an event, or not at all.

use crate::PayoutError;
use crate::event::publish;
use crate::payout::{COLUMNS, Payout};
use crate::sql::{one, run};
use domain::payout::{Change, State};
use failpoint::Point;
use sea_orm::{DatabaseTransaction, DbErr};
use std::fmt;
use uuid::Uuid;

/// Who changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person.
    User(Uuid),
    /// The terms in force.
    Policy(i64),
    /// Work at set times.
    Job(&'static str),
    /// Who pays.
    Adapter(&'static str),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(uid) => write!(f, "user:{uid}"),
            Self::Policy(id) => write!(f, "policy:{id}"),
            Self::Job(name) => write!(f, "job:{name}"),
            Self::Adapter(name) => write!(f, "adapter:{name}"),
        }
    }
}

/// What a change brings with it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct With<'a> {
    /// Why.
    pub(crate) reason: Option<&'a str>,
    /// The transaction that paid.
    pub(crate) transaction_id: Option<Uuid>,
}

/// Makes `change` of a payout whose row is locked.
pub(crate) async fn apply(
    tx: &DatabaseTransaction,
    payout: &Payout,
    change: Change,
    actor: &Actor,
    with: With<'_>,
) -> Result<Payout, PayoutError> {
    let next = payout.state.after(change)?;
    let sql = format!(
        "UPDATE payouts SET state = $4, version = version + 1, updated_at = now(), \
             transaction_id = coalesce($5, transaction_id), \
             failure_reason = CASE WHEN $4 IN ('rejected', 'failed') THEN $6 ELSE failure_reason END, \
             approved_at = CASE WHEN $4 = 'approved' THEN now() ELSE approved_at END, \
             processed_at = CASE WHEN $7 THEN now() END \
         WHERE id = $1 AND state = $2 AND version = $3 RETURNING {COLUMNS}"
    );
    let values = [
        payout.id.into(),
        payout.state.as_str().into(),
        payout.version.into(),
        next.as_str().into(),
        with.transaction_id.into(),
        with.reason.map(str::to_owned).into(),
        next.is_final().into(),
    ];
    let row = one(tx, &sql, values).await?;
    // Nobody changes a row that another has locked.
    let row = row.ok_or(DbErr::RecordNotUpdated)?;
    failpoint::here(Point::PayoutChanged);
    let changed = Payout::read(&row)?;
    record(tx, &changed, Some(payout.state), actor, with.reason).await?;
    failpoint::here(Point::PayoutRecorded);
    Ok(changed)
}

/// Writes the row of the history of what `payout` has become, and publishes it.
pub(crate) async fn record(
    tx: &DatabaseTransaction,
    payout: &Payout,
    from: Option<State>,
    actor: &Actor,
    reason: Option<&str>,
) -> Result<(), PayoutError> {
    let sql = "INSERT INTO payout_events (payout_id, version, from_state, to_state, actor, reason) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let values = [
        payout.id.into(),
        payout.version.into(),
        from.map(|state| state.as_str().to_owned()).into(),
        payout.state.as_str().into(),
        actor.to_string().into(),
        reason.map(str::to_owned).into(),
    ];
    run(tx, sql, values).await?;
    // What was released is not asked for again.
    if from.is_none() || payout.state != State::Requested {
        publish(tx, payout).await?;
    }
    Ok(())
}
