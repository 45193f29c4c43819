//! The sections that services share.

use super::{Problems, Secret};
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use std::net::SocketAddr;
use std::str::FromStr as _;
use std::time::Duration;

/// Where a service listens.
#[derive(Debug, Clone, Copy)]
pub struct Listen {
    /// The public routes. Port 0 takes a free one.
    pub public: SocketAddr,
    /// Metrics and readiness detail; not for the internet.
    pub ops: SocketAddr,
}

impl Listen {
    /// Notes when both are the same place.
    pub fn check(&self, problems: &mut Problems) {
        let same = self.public == self.ops && self.public.port() != 0;
        problems.require("ops_listen", !same, "must not be the address of `listen`");
    }
}

/// How to reach `PostgreSQL`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `postgres://…`; contains the password. With `sslmode=disable`, or a server on this machine, reads by key share a
    /// connection.
    pub url: Secret,
    /// Connections of this process' pool. Reads by key and the watch for ended sessions take one more each.
    #[serde(default = "default_max_connections")]
    #[schemars(range(min = 1, max = 1_000))]
    pub max_connections: u32,
    /// How long a request waits for a connection before it is answered 503.
    #[serde(default = "default_acquire_timeout_ms")]
    #[schemars(range(min = 1, max = 60_000))]
    pub acquire_timeout_ms: u64,
    /// After this the server cancels a statement.
    #[serde(default = "default_statement_timeout_ms")]
    #[schemars(range(min = 1, max = 600_000))]
    pub statement_timeout_ms: u64,
}

impl DatabaseConfig {
    /// Notes a URL that no connection can be made with.
    pub fn check(&self, problems: &mut Problems) {
        let url = self.url.expose_secret();
        let usable = (url.starts_with("postgres://") || url.starts_with("postgresql://"))
            && sea_orm::sqlx::postgres::PgConnectOptions::from_str(url).is_ok();
        problems.require("database.url", usable, "must be a postgres:// URL");
    }
}

/// How to reach Redis.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis://…`; may contain a password.
    pub url: Secret,
    /// After this a command fails.
    #[serde(default = "default_command_timeout_ms")]
    #[schemars(range(min = 1, max = 60_000))]
    pub command_timeout_ms: u64,
}

impl RedisConfig {
    /// After this a command fails.
    pub const fn command_timeout(&self) -> Duration {
        Duration::from_millis(self.command_timeout_ms)
    }

    /// Notes a URL that no connection can be made with.
    pub fn check(&self, problems: &mut Problems) {
        let url = self.url.expose_secret();
        // The client takes any scheme, so that a URL of something else would only fail later.
        let usable = (url.starts_with("redis") || url.starts_with("valkey"))
            && fred::types::config::Config::from_url(url).is_ok();
        problems.require("redis.url", usable, "must be a redis:// or rediss:// URL");
    }
}

/// Whether `text` is an absolute http or https URL with a host.
pub fn is_http_url(text: &str) -> bool {
    let with_scheme = text.starts_with("https://") || text.starts_with("http://");
    with_scheme && reqwest::Url::parse(text).is_ok_and(|url| url.has_host())
}

const fn default_max_connections() -> u32 {
    10
}

const fn default_acquire_timeout_ms() -> u64 {
    3_000
}

const fn default_statement_timeout_ms() -> u64 {
    5_000
}

const fn default_command_timeout_ms() -> u64 {
    1_000
}
