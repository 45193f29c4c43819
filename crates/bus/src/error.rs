//! What can go wrong between services.

use crate::streams::StreamError;
use sea_orm::{DbErr, sqlx};

/// Why the bus could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
    /// The relay's own connection to the database failed.
    #[error("relay connection: {0}")]
    Connection(#[from] sqlx::Error),
    /// Redis failed.
    #[error(transparent)]
    Streams(#[from] StreamError),
    /// A payload is not what its topic promises, or cannot be written as JSON.
    #[error("payload of {topic}: {cause}")]
    Payload {
        /// Of the event.
        topic: String,
        /// Without the value.
        cause: serde_json::Error,
    },
    /// There is no such dead letter, or it was closed before.
    #[error("there is no open dead letter {0}")]
    NoDeadLetter(i64),
    /// The message of a dead letter is not an event, so that it cannot be delivered again.
    #[error("dead letter {0} is not an event; it can only be dropped")]
    NotReplayable(i64),
}
