//! What the tasks share.

use crate::config::Config;
use crate::task::Task;
use bus::{Consumer, Handler, RedisStreams};
use sea_orm::DatabaseConnection;
use secrecy::ExposeSecret as _;
use service::config::Secret;
use service::redis::Redis;
use std::sync::Arc;

/// What the tasks share; cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    /// `PostgreSQL`.
    pub db: DatabaseConnection,
    /// Where that is, for those who need a session of their own.
    pub database_url: Secret,
    /// Redis, to ask how it is.
    pub redis: Redis,
    /// Redis, for events.
    pub streams: RedisStreams,
    /// How everything works.
    pub config: Arc<Config>,
}

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database URL cannot be used.
    #[error("database: {0}")]
    Database(#[from] sea_orm::DbErr),
    /// The Redis URL cannot be used.
    #[error(transparent)]
    Redis(#[from] service::redis::RedisError),
    /// Nor for events.
    #[error(transparent)]
    Streams(#[from] bus::streams::StreamError),
}

impl AppState {
    /// Prepares connections; none has to succeed yet.
    pub async fn new(config: Config) -> Result<Self, StartError> {
        let timeout = config.redis.command_timeout();
        Ok(Self {
            db: service::db::connect(&config.database, "settlement-worker").await?,
            database_url: config.database.url.clone(),
            redis: Redis::connect(&config.redis)?,
            streams: RedisStreams::connect(config.redis.url.expose_secret(), timeout)?,
            config: Arc::new(config),
        })
    }

    /// A task that gives events to what `make` makes: one handler at the start, and another if that has panicked.
    pub fn consumer<H: Handler>(&self, make: impl Fn() -> H + Send + Sync + 'static) -> Task {
        let (db, streams) = (self.db.clone(), self.streams.clone());
        let config = self.config.consumers.as_consumer();
        Task::endless(make().name(), move |stop| {
            Consumer::new(db.clone(), streams.clone(), make(), config.clone()).run(stop)
        })
    }
}
