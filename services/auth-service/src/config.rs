//! Configuration: `TWIST_AUTH__…`, see `service::config`.

use crate::domain::challenge::Challenger;
use crate::domain::seal::SealingKey;
use domain::siws::SignInMessage;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use service::config::{self, ConfigError, DatabaseConfig, RedisConfig, Secret};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;
use std::time::Duration;

const PREFIX: &str = "TWIST_AUTH";

/// Everything that differs between environments.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The public routes.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Metrics and readiness detail.
    #[serde(default = "default_ops_listen")]
    pub ops_listen: SocketAddr,
    /// `PostgreSQL`.
    pub database: DatabaseConfig,
    /// Redis, for nonces.
    pub redis: RedisConfig,
    /// The exact `iss` of tokens: this service's URL.
    pub issuer: String,
    /// The host that the sign-in message names.
    pub domain: String,
    /// The URI that the sign-in message names.
    pub uri: String,
    /// For example `solana:devnet`.
    pub chain_id: String,
    /// One line for the person who signs.
    #[serde(default = "default_statement")]
    pub statement: String,
    /// How long a nonce can be used.
    #[serde(default = "default_nonce_ttl")]
    pub nonce_ttl_seconds: u64,
    /// How long an access token is good.
    #[serde(default = "default_access_ttl")]
    pub access_ttl_seconds: u64,
    /// How soon an instance sees a signing key that was announced, activated or retired elsewhere.
    #[serde(default = "default_key_refresh")]
    pub key_refresh_seconds: u64,
    /// 64 hex digits: seals signing keys in the database.
    pub key_encryption_key: Secret,
}

impl Config {
    /// Reads and checks the configuration.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let config: Self = config::load(PREFIX, file)?;
        config.check()?;
        Ok(config)
    }

    /// How long an access token is good.
    pub const fn access_ttl(&self) -> Duration {
        Duration::from_secs(self.access_ttl_seconds)
    }

    /// The key that seals signing keys.
    pub(crate) fn sealing_key(&self) -> Result<SealingKey, ConfigError> {
        SealingKey::from_hex(self.key_encryption_key.expose_secret())
            .ok_or_else(|| invalid("KEY_ENCRYPTION_KEY", "must be 64 hex digits"))
    }

    /// The maker of sign-in messages.
    pub(crate) fn challenger(&self) -> Challenger {
        Challenger {
            domain: self.domain.clone(),
            uri: self.uri.clone(),
            chain_id: self.chain_id.clone(),
            statement: self.statement.clone(),
            ttl: Duration::from_secs(self.nonce_ttl_seconds),
        }
    }

    /// What can be wrong without being of the wrong type.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.sealing_key()?;
        if !(self.issuer.starts_with("https://") || self.issuer.starts_with("http://")) {
            return Err(invalid("ISSUER", "must be an http(s) URL"));
        }
        if !(1..=3_600).contains(&self.nonce_ttl_seconds) {
            return Err(invalid("NONCE_TTL_SECONDS", "must be 1 to 3600"));
        }
        if !(1..=3_600).contains(&self.access_ttl_seconds) {
            return Err(invalid("ACCESS_TTL_SECONDS", "must be 1 to 3600"));
        }
        // A message that does not read back would turn every sign-in away.
        let sample = self.challenger().sample();
        if SignInMessage::parse(&sample.to_string()) == Ok(sample) {
            Ok(())
        } else {
            Err(invalid(
                "DOMAIN, URI, CHAIN_ID, STATEMENT",
                "must each be one non-empty line, together under 1.5 KB",
            ))
        }
    }
}

fn invalid(key: &str, why: &str) -> ConfigError {
    ConfigError::Invalid(format!("{PREFIX}__{key}: {why}"))
}

const fn default_listen() -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 3001))
}

const fn default_ops_listen() -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9101))
}

fn default_statement() -> String {
    "Sign in to TWIST. This costs nothing and sends no transaction.".to_owned()
}

const fn default_nonce_ttl() -> u64 {
    300
}

const fn default_access_ttl() -> u64 {
    900
}

const fn default_key_refresh() -> u64 {
    30
}
