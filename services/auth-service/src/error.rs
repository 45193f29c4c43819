//! Why the service cannot start. What a request is answered is [`service::ApiError`].

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
    /// A port cannot be bound.
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
}
