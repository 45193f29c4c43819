//! Removing what is no longer needed, a little at a time.

use crate::sql::run;
use sea_orm::{ConnectionTrait, DbErr};
use std::time::Duration;

/// How long a published event can be published again.
pub const OUTBOX_KEPT: Duration = Duration::from_hours(7 * 24);
/// How long it is known that an event was dealt with; in any case for as long as the outbox holds it.
pub const INBOX_KEPT: Duration = Duration::from_hours(30 * 24);
/// So few at once that no lock is held for long.
const BATCH: u16 = 500;

/// Removes events that were published `kept` ago or earlier. Says how many.
///
/// # Errors
/// When the database fails.
pub async fn outbox(database: &impl ConnectionTrait, kept: Duration) -> Result<u64, DbErr> {
    let sql = "WITH old AS MATERIALIZED ( \
                   SELECT id FROM outbox WHERE published_at <= now() - $1::bigint * interval '1 second' \
                   ORDER BY published_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED) \
               DELETE FROM outbox USING old WHERE outbox.id = old.id";
    batches(database, sql, kept).await
}

/// Removes notes of events that were dealt with `kept` ago or earlier and that cannot be published again. Says how many.
///
/// # Errors
/// When the database fails.
pub async fn inbox(database: &impl ConnectionTrait, kept: Duration) -> Result<u64, DbErr> {
    let sql = "WITH old AS MATERIALIZED ( \
                   SELECT consumer, event_id FROM inbox i WHERE processed_at <= now() - $1::bigint * interval '1 second' \
                   AND NOT EXISTS (SELECT FROM outbox o WHERE o.event_id = i.event_id) LIMIT $2::bigint) \
               DELETE FROM inbox USING old \
               WHERE inbox.consumer = old.consumer AND inbox.event_id = old.event_id";
    batches(database, sql, kept).await
}

async fn batches(database: &impl ConnectionTrait, sql: &str, kept: Duration) -> Result<u64, DbErr> {
    let kept = i64::try_from(kept.as_secs()).unwrap_or(i64::MAX);
    let mut total = 0u64;
    loop {
        let values = [kept.into(), i64::from(BATCH).into()];
        let removed = run(database, sql, values).await?;
        total = total.saturating_add(removed);
        if removed < u64::from(BATCH) {
            return Ok(total);
        }
    }
}
