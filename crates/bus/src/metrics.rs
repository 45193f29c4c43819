//! Metric names, and the gauges that are read from the database.

use crate::sql::{all, one};
use sea_orm::{ConnectionTrait, DbErr};

/// Gauge: 1 on the instance whose relay leads.
pub(crate) const RELAY_LEADS: &str = "bus_relay_leads";
/// Counter: batches, by `result` = `ok`, `failed` (nothing could be appended).
pub(crate) const RELAY_ROUNDS: &str = "bus_relay_rounds_total";
/// Counter: events appended to streams.
pub(crate) const PUBLISHED: &str = "bus_published_total";
/// Counter: deliveries, by `consumer` and `result` = `handled`, `repeated`, `other` (not for this consumer), `failed`,
/// `dead`.
pub(crate) const DELIVERIES: &str = "bus_deliveries_total";
/// Counter: events that were published again, by `consumer`.
pub(crate) const REPUBLISHED: &str = "bus_republished_total";
/// Counter: runs of jobs, by `job` and `result` = `ok`, `failed`, `lost` (the lease was).
pub(crate) const JOB_RUNS: &str = "job_runs_total";
/// Histogram, seconds: how long runs took, by `job`.
pub(crate) const JOB_DURATION: &str = "job_duration_seconds";
/// Gauge: events that wait to be published.
const UNPUBLISHED: &str = "bus_unpublished_events";
/// Gauge, seconds: how long the eldest of them has waited.
const OLDEST: &str = "bus_oldest_unpublished_seconds";
/// Gauge: dead letters that nobody has closed.
const DEAD: &str = "bus_dead_letters";
/// Gauge, seconds, by `job`: how long it is overdue; 0 when it is not.
const OVERDUE: &str = "job_overdue_seconds";

/// Sets the gauges of what waits: events, dead letters, jobs.
///
/// # Errors
/// When the database cannot answer.
pub async fn observe(database: &impl ConnectionTrait) -> Result<(), DbErr> {
    let sql = "SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS waiting, \
               (SELECT coalesce(greatest(extract(epoch FROM clock_timestamp() - min(created_at)), 0), 0)::bigint \
                FROM outbox WHERE published_at IS NULL) AS oldest, \
               (SELECT count(*) FROM dead_letter WHERE resolution IS NULL) AS dead";
    if let Some(row) = one(database, sql, []).await? {
        metrics::gauge!(UNPUBLISHED).set(gauge(row.try_get("", "waiting")?));
        metrics::gauge!(OLDEST).set(gauge(row.try_get("", "oldest")?));
        metrics::gauge!(DEAD).set(gauge(row.try_get("", "dead")?));
    }
    let sql = "SELECT name, greatest(extract(epoch FROM clock_timestamp() - due_at), 0)::bigint AS late FROM schedule";
    for row in all(database, sql, []).await? {
        let job: String = row.try_get("", "name")?;
        metrics::gauge!(OVERDUE, "job" => job).set(gauge(row.try_get("", "late")?));
    }
    Ok(())
}

/// A count as a gauge takes it.
pub(crate) fn gauge(count: i64) -> f64 {
    f64::from(u32::try_from(count.max(0)).unwrap_or(u32::MAX))
}
