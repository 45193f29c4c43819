//! Why the service cannot start. What a request is answered is [`service::ApiError`].

use crate::domain::seal::SealError;
use service::config::ConfigError;
use service::redis::RedisError;

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is not complete or not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database URL cannot be used.
    #[error("the database URL cannot be used")]
    Database,
    /// The Redis URL cannot be used.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// The operating system gave no random bytes.
    #[error("cannot make a key: {0}")]
    Key(String),
    /// A port cannot be bound.
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
}

impl From<SealError> for StartError {
    fn from(error: SealError) -> Self {
        Self::Key(error.to_string())
    }
}
