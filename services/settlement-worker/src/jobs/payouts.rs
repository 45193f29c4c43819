//! Paying what was approved, making earnings payable, and the payouts of day 1.

use crate::metrics::{PAYOUTS_MADE, PAYOUTS_PAID, RELEASED};
use crate::state::AppState;
use ::payouts::{LedgerAdapter, PayoutError};
use bus::{Cadence, Run};

/// Day 1 of each month, 12:00 UTC.
pub(super) const MONTHLY: Cadence = Cadence::Monthly {
    day: 1,
    at: time::macros::time!(12:00),
};

/// Pays what its event has not paid.
pub(super) async fn settle(state: AppState) -> Result<(), PayoutError> {
    let limit = state.config.settle.batch.into();
    let paid = ::payouts::settle::run(&state.db, &LedgerAdapter, limit).await;
    counted(PAYOUTS_PAID, paid).map(|_| ())
}

pub(super) async fn release(state: AppState) -> Result<(), PayoutError> {
    let limit = state.config.release.batch.into();
    let released = ::payouts::release::run(&state.db, limit).await;
    counted(RELEASED, released).map(|_| ())
}

pub(super) async fn auto(state: AppState, run: Run) -> Result<(), PayoutError> {
    let made = ::payouts::auto::run(&state.db, &LedgerAdapter, run.due).await;
    let made = counted(PAYOUTS_MADE, made)?;
    tracing::info!(made, due = %run.due, "the payouts of the month are made");
    Ok(())
}

/// Counts what was done, also when some were passed over.
fn counted(metric: &'static str, outcome: Result<u32, PayoutError>) -> Result<u32, PayoutError> {
    if let Ok(done) | Err(PayoutError::PassedOver { done, .. }) = outcome {
        metrics::counter!(metric).increment(done.into());
    }
    outcome
}
