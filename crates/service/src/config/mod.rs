//! Configuration: an optional TOML file, then environment variables, which win.
//!
//! `TWIST_AUTH__DATABASE__URL` sets `database.url`; names are lower-cased. `…_FILE` names a file whose
//! content is the value (a trailing newline is dropped). A key that the configuration does not have is an
//! error, so that a misspelt limit is not silently the default.

mod environment;
mod secret;

pub use secret::Secret;

use environment::Environment;
use figment::Figment;
use figment::providers::{Format as _, Toml};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Why a service cannot start with this configuration. Never contains a secret's value.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that the configuration names cannot be read.
    #[error("{variable}: cannot read the file it names: {source}")]
    File {
        /// The environment variable.
        variable: String,
        /// Why.
        source: std::io::Error,
    },
    /// The configuration file cannot be read.
    #[error("configuration file {0} cannot be read")]
    Missing(String),
    /// A key is unknown, missing or of the wrong kind.
    #[error("{0}")]
    Invalid(String),
}

/// Reads a configuration: `file` if given, then the variables that start with `prefix` and `__`.
///
/// `T` should refuse unknown fields; secrets in it are of type [`Secret`].
pub fn load<T: DeserializeOwned>(prefix: &str, file: Option<&Path>) -> Result<T, ConfigError> {
    load_from(prefix, file, std::env::vars_os())
}

/// [`load`] with the variables given.
pub fn load_from<T, I>(prefix: &str, file: Option<&Path>, variables: I) -> Result<T, ConfigError>
where
    T: DeserializeOwned,
    I: IntoIterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
{
    let mut figment = Figment::new();
    if let Some(path) = file {
        if !path.is_file() {
            return Err(ConfigError::Missing(path.display().to_string()));
        }
        figment = figment.merge(Toml::file_exact(path));
    }
    figment
        .merge(Environment::read(prefix, variables)?)
        .extract()
        .map_err(|error| ConfigError::Invalid(environment::describe(prefix, error)))
}

/// Where a service listens.
#[derive(Debug, Clone, Copy)]
pub struct Listen {
    /// The public routes. Port 0 takes a free one.
    pub public: SocketAddr,
    /// Metrics and readiness detail; not for the internet.
    pub ops: SocketAddr,
}

/// How to reach `PostgreSQL`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `postgres://…`; contains the password.
    pub url: Secret,
    /// Connections of this process.
    #[serde(default = "default_max_connections")]
    pub max_connections: u32,
    /// How long a request waits for a connection before it is answered 503.
    #[serde(default = "default_acquire_timeout_ms")]
    pub acquire_timeout_ms: u64,
    /// After this the server cancels a statement.
    #[serde(default = "default_statement_timeout_ms")]
    pub statement_timeout_ms: u64,
}

/// How to reach Redis.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis://…`; may contain a password.
    pub url: Secret,
    /// After this a command fails.
    #[serde(default = "default_command_timeout_ms")]
    pub command_timeout_ms: u64,
}

impl RedisConfig {
    /// After this a command fails.
    pub const fn command_timeout(&self) -> Duration {
        Duration::from_millis(self.command_timeout_ms)
    }
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
