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
    let paid = ::payouts::settle::run(&state.db, &LedgerAdapter, limit).await?;
    metrics::counter!(PAYOUTS_PAID).increment(paid.into());
    Ok(())
}

pub(super) async fn release(state: AppState) -> Result<(), PayoutError> {
    let limit = state.config.release.batch.into();
    let released = ::payouts::release::run(&state.db, limit).await?;
    metrics::counter!(RELEASED).increment(released.into());
    Ok(())
}

pub(super) async fn auto(state: AppState, run: Run) -> Result<(), PayoutError> {
    let made = ::payouts::auto::run(&state.db, &LedgerAdapter, run.due).await?;
    metrics::counter!(PAYOUTS_MADE).increment(made.into());
    tracing::info!(made, due = %run.due, "the payouts of the month are made");
    Ok(())
}
