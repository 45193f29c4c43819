//! What handlers share.

use crate::config::{Config, Limits};
use axum::extract::FromRef;
use contracts::Code;
use sea_orm::DatabaseConnection;
use service::ApiError;
use service::auth::{Revocations, TokenVerifier};
use service::hmac::HmacKeys;
use service::redis::{Redis, WindowCounter};
use std::time::Duration;
use uuid::Uuid;

const MINUTE: Duration = Duration::from_mins(1);

/// What handlers share; cheap to clone.
#[derive(Debug, Clone, FromRef)]
pub struct AppState {
    /// `PostgreSQL`.
    pub db: DatabaseConnection,
    /// Redis.
    pub redis: Redis,
    /// Believes access tokens.
    pub verifier: TokenVerifier,
    /// Knows which sessions were ended.
    pub revocations: Revocations,
    /// Secrets of the edge.
    pub ingest_keys: HmacKeys,
    /// Limits.
    pub limits: Limits,
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
    /// The HTTP client for the issuer's keys cannot be made.
    #[error("JWKS client: {0}")]
    Verifier(String),
}

impl AppState {
    /// Prepares connections; none has to succeed yet.
    pub async fn new(config: &Config) -> Result<Self, StartError> {
        let db = service::db::connect(&config.database, "influencer-api").await?;
        Ok(Self {
            revocations: Revocations::watch(db.clone()),
            db,
            redis: Redis::connect(&config.redis)?,
            verifier: TokenVerifier::new(config.token.clone())
                .map_err(|error| StartError::Verifier(error.to_string()))?,
            ingest_keys: HmacKeys::new(config.ingest.keys.clone()),
            limits: config.limits,
        })
    }

    /// Counts an attempt of `user` to register a device.
    ///
    /// # Errors
    /// 429 over the limit, 503 when Redis does not answer.
    pub async fn limit_device_registrations(&self, user: Uuid) -> Result<(), ApiError> {
        let (count, left) = self
            .redis
            .hit(&format!("api:devices:{user}"), MINUTE)
            .await?;
        if count > u64::from(self.limits.device_registrations_per_minute) {
            return Err(ApiError::of(Code::RateLimited).with_retry_after(left));
        }
        Ok(())
    }
}
