//! Paying what was approved, making earnings payable, and the payouts of day 1.

use crate::metrics::{PAYOUTS_MADE, PAYOUTS_PAID, RELEASED};
use crate::state::AppState;
use ::payouts::{LedgerAdapter, PayoutError};
use bus::{Cadence, Run};
use time::{Duration, OffsetDateTime};

/// Day 1 of each month, 12:00 UTC.
pub(super) const MONTHLY: Cadence = Cadence::Monthly {
    day: 1,
    at: time::macros::time!(12:00),
};

/// For so long a payout of the month that fails is tried again.
const TRIED: Duration = Duration::days(1);

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
    let made = match counted(PAYOUTS_MADE, made) {
        Err(PayoutError::PassedOver { done, failed }) if is_late(&run) => {
            tracing::error!(failed, due = %run.due, "payouts of the month were given up");
            done
        }
        made => made?,
    };
    tracing::info!(made, due = %run.due, "the payouts of the month are made");
    Ok(())
}

/// Whether those who cannot be paid have been tried for so long that the next month's payouts must not wait for them.
fn is_late(run: &Run) -> bool {
    OffsetDateTime::now_utc() > run.due.saturating_add(TRIED)
}

/// Counts what was done, also when some were passed over.
fn counted(metric: &'static str, outcome: Result<u32, PayoutError>) -> Result<u32, PayoutError> {
    if let Ok(done) | Err(PayoutError::PassedOver { done, .. }) = outcome {
        metrics::counter!(metric).increment(done.into());
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_who_cannot_be_paid_holds_up_the_next_month_for_a_day_at_most() {
        let due_before = |age| Run {
            due: OffsetDateTime::now_utc() - age,
        };
        assert!(!is_late(&due_before(Duration::hours(23))));
        assert!(is_late(&due_before(Duration::hours(25))));
    }
}
