//! What handlers share.

use crate::config::Config;
use axum::extract::FromRef;
use edge_core::attestation::Policy;
use sea_orm::DatabaseConnection;
use service::auth::{Revocations, TokenVerifier};
use service::hmac::HmacKeys;
use service::limit::Limiter;
use service::reads::Reads;
use service::redis::Redis;
use std::sync::Arc;

/// What handlers share; cheap to clone.
#[derive(Debug, Clone, FromRef)]
pub struct AppState {
    /// `PostgreSQL`.
    pub db: DatabaseConnection,
    /// Reads by key.
    pub reads: Reads,
    /// Redis.
    pub redis: Redis,
    /// Believes access tokens.
    pub verifier: TokenVerifier,
    /// Knows which sessions were ended.
    pub revocations: Revocations,
    /// Secrets of the edge.
    pub ingest_keys: HmacKeys,
    /// Counts calls.
    pub limiter: Limiter,
    /// Which credentials are registered.
    pub webauthn: Arc<Policy>,
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
        let redis = Redis::connect(&config.redis)?;
        tokio::spawn(service::idempotency::sweep(db.clone()));
        Ok(Self {
            reads: Reads::new(db.clone(), &config.database, "influencer-api reads"),
            revocations: Revocations::watch(db.clone(), &config.database).await?,
            db,
            limiter: Limiter::new(redis.clone(), config.limits),
            redis,
            webauthn: Arc::new(config.webauthn.policy()),
            verifier: TokenVerifier::new(config.token.clone())
                .map_err(|error| StartError::Verifier(error.to_string()))?,
            ingest_keys: HmacKeys::new(config.ingest.keys.clone()),
        })
    }
}
