//! What handlers share.

use crate::config::Config;
use crate::domain::challenge::Challenger;
use crate::domain::token::TokenPolicy;
use crate::error::StartError;
use crate::store::keys::KeyRing;
use crate::store::sessions::Sessions;
use sea_orm::DatabaseConnection;
use service::access::Guards;
use service::auth::{Revocations, TokenVerifier};
use service::db;
use service::health::ReadyCheck;
use service::limit::Limiter;
use service::reads::Reads;
use service::redis::Redis;
use std::sync::Arc;
use std::time::Duration;

/// What handlers share; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct AppState {
    pub(crate) challenger: Arc<Challenger>,
    pub(crate) tokens: Arc<TokenPolicy>,
    /// Whether the message of the first system is taken.
    pub(crate) legacy_message: bool,
    pub(crate) database: DatabaseConnection,
    pub(crate) redis: Redis,
    pub(crate) keys: KeyRing,
    pub(crate) sessions: Sessions,
    pub(crate) guards: Guards,
}

impl AppState {
    /// Prepares the connections; none of them has to be up yet.
    pub(crate) async fn new(config: &Config) -> Result<Self, StartError> {
        config.check()?;
        let database = db::connect(&config.database, "auth-service")
            .await
            .map_err(|_| StartError::Database)?;
        let sealing = config.sealing_key()?;
        let keys = KeyRing::new(
            database.clone(),
            sealing.clone(),
            config.key_policy(),
            Duration::from_secs(config.key_refresh_seconds),
        );
        let revocations = Revocations::watch(database.clone(), &config.database)
            .await
            .map_err(|_| StartError::Database)?;
        let sessions = Sessions::new(
            database.clone(),
            Reads::new(database.clone(), &config.database, "auth-service reads"),
            sealing,
            config.sessions.policy(),
            revocations.clone(),
        )?;
        let redis = Redis::connect(&config.redis)?;
        Ok(Self {
            guards: Guards {
                verifier: TokenVerifier::with_keys(config.issuer.clone(), Arc::new(keys.clone())),
                revocations,
                database: database.clone(),
                limiter: Limiter::new(redis.clone(), config.limits),
            },
            challenger: Arc::new(config.challenger()),
            legacy_message: config.legacy_message,
            tokens: Arc::new(TokenPolicy {
                issuer: config.issuer.clone(),
                ttl: config.access_ttl(),
            }),
            redis,
            keys,
            sessions,
            database,
        })
    }

    /// What `/ready` looks at.
    pub(crate) fn ready_checks(&self) -> Vec<ReadyCheck> {
        vec![
            db::ready_check(&self.database),
            self.redis.ready_check(),
            self.keys.ready_check(),
            self.guards.revocations.ready_check(),
        ]
    }
}
