//! Events between services, and work at set times.
//!
//! A business transaction [publishes](publish) an [`Event`] by writing a row of the outbox: it leaves if and only if
//! the transaction commits. A [`relay`] brings committed rows to Redis Streams. A [`consumer`] gives each event to its
//! [`Handler`] with a database transaction, in which the effect and the note that it happened are written together, so
//! that an event that arrives twice has one effect. An event that cannot be dealt with becomes a [`dead_letter`].
//! Redis is transport only: what it loses is published again from the outbox.
//!
//! [`jobs`] run once across all instances, each at its time.

pub mod consumer;
pub mod dead_letter;
mod error;
mod event;
mod facts;
pub mod jobs;
mod metrics;
mod redact;
pub mod redis;
pub mod relay;
mod republish;
mod sql;
mod stop;
pub mod streams;
pub mod sweep;
mod topic;

pub use consumer::{Consumer, ConsumerConfig, Handler, HandlerError};
pub use error::BusError;
pub use event::{Envelope, Event, publish};
pub use jobs::{Cadence, Job, Run, Scheduler};
pub use metrics::observe;
pub use redact::redacted;
pub use redis::RedisStreams;
pub use relay::{Relay, RelayConfig};
pub use republish::missing as republish_missing;
pub use stop::{Stop, Stopper};
pub use topic::{Fact, Topic};
