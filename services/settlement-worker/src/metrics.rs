//! Metric names.

/// Counter, by `task`: how often it was started again after a failure.
pub(crate) const RESTARTS: &str = "worker_task_restarts_total";
/// Counter: transactions that this instance has sealed.
pub(crate) const SEALED: &str = "ledger_sealed_total";
/// Gauge: committed transactions that have no seal.
pub(crate) const UNSEALED: &str = "ledger_unsealed_transactions";
/// Gauge, seconds: how long the oldest of them has waited.
pub(crate) const SEAL_LAG: &str = "ledger_seal_lag_seconds";
/// Gauge, by `invariant`: what the last check found to break it; 0 when it holds.
pub(crate) const BROKEN: &str = "ledger_invariant_broken";
/// Gauge, by `invariant`, seconds: how long ago that was found; without a verdict, how long this instance waits for one.
pub(crate) const CHECK_AGE: &str = "ledger_check_age_seconds";
/// Counter: pending transactions that were voided because their time was over.
pub(crate) const EXPIRED: &str = "ledger_expired_total";
/// Counter, by `table`: rows that were removed because they are no longer needed.
pub(crate) const SWEPT: &str = "bus_swept_rows_total";
/// Counter: influencers whose tier has changed.
pub(crate) const TIER_CHANGES: &str = "staking_tier_changes_total";
/// Counter: payouts that the sweep of this instance has paid; those that their events have paid are not among them.
pub(crate) const PAYOUTS_PAID: &str = "payouts_swept_total";
/// Counter: payouts of the monthly run that this instance has made.
pub(crate) const PAYOUTS_MADE: &str = "payouts_made_total";
/// Counter: earnings that have become payable.
pub(crate) const RELEASED: &str = "payouts_earnings_released_total";

/// A count as a gauge takes it.
pub(crate) fn gauge(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
