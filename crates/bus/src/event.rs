//! Events, from the transaction that causes them to the envelope that consumers get.

use crate::BusError;
use crate::sql::one;
use crate::topic::{Fact, Topic};
use sea_orm::{DatabaseTransaction, DbErr};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A fact about one aggregate, not yet published.
#[derive(Debug, Clone)]
pub struct Event {
    id: Uuid,
    topic: Topic,
    aggregate: String,
    payload: Value,
    trace: Option<String>,
}

impl Event {
    /// `aggregate` names what the fact is about, e.g. `payout:<id>`; its events are numbered and keep their order.
    /// 1 to 200 characters.
    ///
    /// # Errors
    /// When the fact cannot be written as JSON.
    pub fn new<F: Fact>(aggregate: impl Into<String>, fact: &F) -> Result<Self, BusError> {
        let payload = serde_json::to_value(fact).map_err(|cause| BusError::Payload {
            topic: F::TOPIC.to_string(),
            cause,
        })?;
        Ok(Self {
            id: Uuid::now_v7(),
            topic: F::TOPIC,
            aggregate: aggregate.into(),
            payload,
            trace: None,
        })
    }

    /// Says which request caused it, for whoever follows a trail.
    #[must_use]
    pub fn with_trace(mut self, request_id: impl Into<String>) -> Self {
        self.trace = Some(request_id.into());
        self
    }

    /// What consumers know it by.
    pub const fn id(&self) -> Uuid {
        self.id
    }
}

/// Publishes `event` when `transaction` commits, and never otherwise.
///
/// The aggregate is locked until then, so do this late in the transaction, and where a transaction publishes for
/// several aggregates do so in the order of their names.
///
/// # Errors
/// When the database refuses or fails; the transaction is then of no more use.
pub async fn publish(transaction: &DatabaseTransaction, event: Event) -> Result<Uuid, BusError> {
    let sql = "WITH numbered AS ( \
                   INSERT INTO outbox_aggregate AS a (aggregate, last_seq) VALUES ($4::text, 1) \
                   ON CONFLICT (aggregate) DO UPDATE SET last_seq = a.last_seq + 1 RETURNING last_seq) \
               INSERT INTO outbox (event_id, topic, version, aggregate, aggregate_seq, payload, trace) \
               SELECT $1::uuid, $2::text, $3::integer, $4::text, last_seq, $5::jsonb, $6::text FROM numbered RETURNING id";
    let values = [
        event.id.into(),
        event.topic.to_string().into(),
        i32::from(event.topic.version()).into(),
        event.aggregate.into(),
        event.payload.into(),
        event.trace.into(),
    ];
    one(transaction, sql, values)
        .await?
        .ok_or_else(|| DbErr::RecordNotInserted.into())
        .map(|_| event.id)
}

/// An event as it travels: JSON, one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// Names the event for ever: an effect happens once for it.
    pub event_id: Uuid,
    /// `twist.<area>.<fact>.v<version>`.
    pub topic: String,
    /// The topic's version.
    pub version: u16,
    /// What it is about.
    pub aggregate: String,
    /// Its number among the aggregate's events, from 1 without a gap. Whoever sees a gap reads the aggregate anew.
    pub aggregate_seq: i64,
    /// Its number among all events; grows, with gaps, and not in the order of commits.
    pub seq: i64,
    /// RFC 3339, UTC: when its transaction began.
    pub created_at: String,
    /// The request that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// What happened; its members are those of the topic.
    pub payload: Value,
}

/// Makes the envelope in the database: a JSON text of a row of `outbox AS o`.
pub(crate) const ENVELOPE_SQL: &str = "jsonb_strip_nulls(jsonb_build_object( \
    'eventId', o.event_id, 'topic', o.topic, 'version', o.version, 'aggregate', o.aggregate, \
    'aggregateSeq', o.aggregate_seq, 'seq', o.id, 'trace', o.trace, 'createdAt', \
    to_char(o.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'))) \
    || jsonb_build_object('payload', o.payload)";

impl Envelope {
    /// Whether it is a fact of this type.
    pub fn is<F: Fact>(&self) -> bool {
        self.topic == F::TOPIC.to_string()
    }

    /// What happened.
    ///
    /// # Errors
    /// When the payload is not what the topic promises.
    pub fn fact<F: Fact>(&self) -> Result<F, BusError> {
        F::deserialize(&self.payload).map_err(|cause| BusError::Payload {
            topic: self.topic.clone(),
            cause,
        })
    }
}
