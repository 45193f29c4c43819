//! Publishing again what a consumer has not dealt with.

use crate::metrics::REPUBLISHED;
use crate::sql::one;
use crate::topic::Topic;
use sea_orm::{ConnectionTrait, DbErr};
use std::time::Duration;

/// Events in one statement.
const BATCH: i64 = 1_000;

/// Has all events of `topics` that the outbox still holds, that `consumer` has not dealt with and that were published
/// `ago` or longer, published again. Says how many. Other consumers absorb the repeats.
///
/// Events that the relay is publishing at this moment are waited for and then counted in: it may be handing them to a
/// server that has just lost its data. What is committed later is published later.
///
/// # Errors
/// When the database fails; then a part may have been done.
pub async fn missing(
    database: &impl ConnectionTrait,
    consumer: &'static str,
    topics: &[Topic],
    ago: Duration,
) -> Result<u64, DbErr> {
    let sql = "WITH picked AS MATERIALIZED ( \
                   SELECT o.id FROM outbox o WHERE o.id > $1::bigint AND o.topic = ANY ($2) \
                   AND (o.published_at IS NULL \
                        OR o.published_at <= clock_timestamp() - $4::bigint * interval '1 millisecond') \
                   AND NOT EXISTS (SELECT FROM inbox i WHERE i.consumer = $3::text AND i.event_id = o.event_id) \
                   AND NOT EXISTS (SELECT FROM dead_letter d WHERE d.consumer = $3 \
                        AND d.event_id = o.event_id AND d.resolution IS DISTINCT FROM 'replayed') \
                   ORDER BY o.id LIMIT $5::bigint FOR UPDATE OF o), \
               reset AS (UPDATE outbox SET published_at = NULL FROM picked WHERE outbox.id = picked.id) \
               SELECT count(*) AS picked, max(id) AS last FROM picked";
    let topics: Vec<String> = topics.iter().map(ToString::to_string).collect();
    let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
    let (mut after, mut total) = (0i64, 0u64);
    loop {
        let values = [
            after.into(),
            topics.clone().into(),
            consumer.into(),
            ago.into(),
            BATCH.into(),
        ];
        let Some(row) = one(database, sql, values).await? else {
            break;
        };
        let picked: i64 = row.try_get("", "picked")?;
        total = total.saturating_add(picked.unsigned_abs());
        match row.try_get("", "last")? {
            Some(last) if picked == BATCH => after = last,
            _ => break,
        }
    }
    metrics::counter!(REPUBLISHED, "consumer" => consumer).increment(total);
    Ok(total)
}
