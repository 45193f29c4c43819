//! Events that a consumer could not deal with, until a person closes them.

use crate::BusError;
use crate::event::Envelope;
use crate::redact::redacted;
use crate::sql::{all, one, run};
use crate::streams::Delivery;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, TransactionTrait as _};
use uuid::Uuid;

/// A dead letter that nobody has closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number.
    pub id: i64,
    /// Who could not deal with it.
    pub consumer: String,
    /// `None`: the message cannot be read.
    pub event_id: Option<Uuid>,
    /// `None`: the message cannot be read.
    pub topic: Option<String>,
    /// The last error, with nothing private in it.
    pub error: String,
    /// How often it was delivered.
    pub deliveries: i64,
    /// RFC 3339, UTC.
    pub died_at: String,
}

/// Keeps a message that is given up.
pub(crate) async fn record(
    database: &impl ConnectionTrait,
    consumer: &str,
    delivery: &Delivery,
    envelope: Option<&Envelope>,
    error: &str,
) -> Result<(), DbErr> {
    let sql = "INSERT INTO dead_letter (consumer, event_id, topic, message, error, deliveries) \
               SELECT $1::text, $2::uuid, $3::text, $4::text, $5::text, $6::bigint WHERE $2::uuid IS NULL OR NOT EXISTS ( \
                   SELECT FROM dead_letter WHERE consumer = $1 AND event_id = $2 \
                   AND resolution IS DISTINCT FROM 'replayed')";
    // A text in the database cannot hold it.
    let message = delivery.envelope.as_deref().unwrap_or_default();
    let values = [
        consumer.into(),
        envelope.map(|event| event.event_id).into(),
        envelope.map(|event| event.topic.clone()).into(),
        message.replace('\0', "\u{fffd}").into(),
        redacted(error).replace('\0', "\u{fffd}").into(),
        i64::try_from(delivery.deliveries)
            .unwrap_or(i64::MAX)
            .into(),
    ];
    run(database, sql, values).await.map(|_| ())
}

/// The eldest `limit` that nobody has closed.
///
/// # Errors
/// When the database fails.
pub async fn list(
    database: &impl ConnectionTrait,
    limit: u32,
) -> Result<Vec<DeadLetter>, BusError> {
    let sql = "SELECT id, consumer, event_id, topic, error, deliveries, \
               to_char(died_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS died_at \
               FROM dead_letter WHERE resolution IS NULL ORDER BY id LIMIT $1::bigint";
    let rows = all(database, sql, [i64::from(limit).into()]).await?;
    let letters = rows.iter().map(|row| {
        Ok(DeadLetter {
            id: row.try_get("", "id")?,
            consumer: row.try_get("", "consumer")?,
            event_id: row.try_get("", "event_id")?,
            topic: row.try_get("", "topic")?,
            error: row.try_get("", "error")?,
            deliveries: row.try_get("", "deliveries")?,
            died_at: row.try_get("", "died_at")?,
        })
    });
    letters.collect::<Result<_, DbErr>>().map_err(Into::into)
}

/// Has the event of dead letter `id` delivered again: to all consumers, of which those that have dealt with it do not
/// notice. It is published anew even if the outbox no longer holds it.
///
/// # Errors
/// When there is no such open dead letter, its message is no event, or the database fails. Then nothing was done.
pub async fn replay(database: &DatabaseConnection, id: i64) -> Result<(), BusError> {
    let transaction = database.begin().await?;
    let message = close(&transaction, id, "replayed").await?;
    let event: Envelope =
        serde_json::from_str(&message).map_err(|_| BusError::NotReplayable(id))?;
    // The row keeps its place in the order of its aggregate; only a row that was removed needs the second.
    let sql = "INSERT INTO outbox (event_id, topic, version, aggregate, aggregate_seq, payload, trace, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, ($8::text)::timestamptz) \
               ON CONFLICT (event_id) DO UPDATE SET published_at = NULL";
    let values = [
        event.event_id.into(),
        event.topic.into(),
        i32::from(event.version).into(),
        event.aggregate.into(),
        event.aggregate_seq.into(),
        event.payload.into(),
        event.trace.into(),
        event.created_at.into(),
    ];
    run(&transaction, sql, values).await?;
    transaction.commit().await?;
    Ok(())
}

/// Closes dead letter `id` for good: its consumer never gets the event again.
///
/// # Errors
/// When there is no such open dead letter, or the database fails.
pub async fn drop(database: &impl ConnectionTrait, id: i64) -> Result<(), BusError> {
    close(database, id, "dropped").await.map(|_| ())
}

/// Returns its message.
async fn close(
    database: &impl ConnectionTrait,
    id: i64,
    resolution: &str,
) -> Result<String, BusError> {
    let sql = "UPDATE dead_letter SET resolution = $2, resolved_at = now() \
               WHERE id = $1 AND resolution IS NULL RETURNING message";
    let closed = one(database, sql, [id.into(), resolution.into()]).await?;
    let row = closed.ok_or(BusError::NoDeadLetter(id))?;
    Ok(row.try_get("", "message")?)
}
