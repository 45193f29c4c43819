//! Configuration, from `TWIST_API__…`.

use edge_core::attestation::Policy;
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use service::auth::TokenConfig;
use service::config::{
    self, ConfigError, DatabaseConfig, HttpConfig, Listen, Problems, RedisConfig, Secret,
};
use service::limit::RateLimits;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

/// What the variables start with.
pub const PREFIX: &str = "TWIST_API";
/// A shared secret shorter than this can be guessed.
const MIN_SECRET_BYTES: usize = 16;

/// Everything the service has to be told.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Public routes.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Metrics and readiness detail; not for the internet.
    #[serde(default = "default_ops_listen")]
    pub ops_listen: SocketAddr,
    /// `PostgreSQL`, logging in as a member of `twist_app`.
    pub database: DatabaseConfig,
    /// Redis.
    pub redis: RedisConfig,
    /// Whose access tokens are believed.
    pub token: TokenConfig,
    /// The edge.
    pub ingest: IngestConfig,
    /// Which `WebAuthn` credentials can be registered; as the edge's.
    #[serde(default)]
    pub webauthn: WebauthnConfig,
    /// How requests are taken.
    #[serde(default)]
    pub http: HttpConfig,
    /// How often callers may call.
    #[serde(default)]
    pub limits: RateLimits,
}

/// Who may deliver accepted VAUs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IngestConfig {
    /// Secrets by key id. Two at a time let a secret be changed without a gap.
    pub keys: BTreeMap<String, Secret>,
}

/// Which `WebAuthn` credentials can be registered.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebauthnConfig {
    /// The relying party's id: the domain that credentials are for.
    #[serde(default = "default_rp_id")]
    pub rp_id: String,
    /// The exact origins of pages and apps that may make credentials, such as `https://app.example.org`; without any,
    /// none can be registered.
    #[serde(default)]
    pub origins: Vec<String>,
    /// Whether the user has to be recognised by the authenticator, not only present.
    #[serde(default)]
    pub require_user_verification: bool,
}

impl WebauthnConfig {
    /// The same, as the rules read it.
    pub fn policy(&self) -> Policy {
        Policy {
            rp_id: self.rp_id.clone(),
            origins: self.origins.clone(),
            require_user_verification: self.require_user_verification,
        }
    }
}

impl Default for WebauthnConfig {
    fn default() -> Self {
        Self {
            rp_id: default_rp_id(),
            origins: Vec::new(),
            require_user_verification: false,
        }
    }
}

impl Config {
    /// Reads and checks the configuration.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let config: Self = config::load(PREFIX, file)?;
        config.check()?;
        Ok(config)
    }

    /// What can be wrong without being of the wrong type.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Problems::new(PREFIX);
        self.listeners().check(&mut problems);
        self.database.check(&mut problems);
        self.redis.check(&mut problems);
        self.token.check(&mut problems);
        self.http.check(&mut problems);
        problems.require(
            "webauthn.rp_id",
            !self.webauthn.rp_id.is_empty(),
            "must be a domain",
        );
        problems.require(
            "ingest.keys",
            !self.ingest.keys.is_empty(),
            "needs at least one key, or nothing can be delivered",
        );
        for (name, secret) in &self.ingest.keys {
            let long = secret.expose_secret().len() >= MIN_SECRET_BYTES;
            problems.require(
                &format!("ingest.keys.{name}"),
                long,
                "must be 16 bytes or more",
            );
        }
        problems.into_result()
    }

    /// Where to listen.
    pub const fn listeners(&self) -> Listen {
        Listen {
            public: self.listen,
            ops: self.ops_listen,
        }
    }
}

fn default_rp_id() -> String {
    "localhost".to_owned()
}

const fn default_listen() -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3003)
}

const fn default_ops_listen() -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9103)
}
