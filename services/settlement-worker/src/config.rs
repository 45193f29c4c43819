//! Configuration, from `TWIST_SETTLEMENT__…`.

mod work;

pub use work::{
    CheckConfig, ConsumersConfig, ExpiryConfig, OutboxConfig, ReleaseConfig, ScheduleConfig,
    SealerConfig, SettleConfig, SweepConfig, TiersConfig,
};

use schemars::JsonSchema;
use serde::Deserialize;
use service::config::{
    self, ConfigError, DatabaseConfig, HttpConfig, Listen, Problems, RedisConfig,
};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

/// What the variables start with.
pub const PREFIX: &str = "TWIST_SETTLEMENT";

/// Everything the service has to be told.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whether it is well, for whoever asks.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Metrics and readiness detail; not for the internet.
    #[serde(default = "default_ops_listen")]
    pub ops_listen: SocketAddr,
    /// `PostgreSQL`, logging in as a member of `twist_app`.
    pub database: DatabaseConfig,
    /// Redis.
    pub redis: RedisConfig,
    /// How requests are taken.
    #[serde(default)]
    pub http: HttpConfig,
    /// Publishing events.
    #[serde(default)]
    pub relay: OutboxConfig,
    /// Dealing with events.
    #[serde(default)]
    pub consumers: ConsumersConfig,
    /// Doing jobs at their times.
    #[serde(default)]
    pub scheduler: ScheduleConfig,
    /// Appending to the ledger's hash chain.
    #[serde(default)]
    pub sealer: SealerConfig,
    /// Voiding pending transactions.
    #[serde(default)]
    pub expiry: ExpiryConfig,
    /// Checking the books.
    #[serde(default)]
    pub check: CheckConfig,
    /// Removing old events.
    #[serde(default)]
    pub sweep: SweepConfig,
    /// The tiers of influencers.
    #[serde(default)]
    pub tiers: TiersConfig,
    /// Paying what was approved.
    #[serde(default)]
    pub settle: SettleConfig,
    /// Earnings inside their holding period.
    #[serde(default)]
    pub release: ReleaseConfig,
    /// How often the gauges of what waits are read from the database.
    #[serde(default = "default_observe_seconds")]
    #[schemars(range(min = 1, max = 3_600))]
    pub observe_seconds: u64,
    /// How long a stop waits for what is being done; what takes longer is cut short, and done again by another.
    #[serde(default = "default_stop_seconds")]
    #[schemars(range(min = 0, max = 3_600))]
    pub stop_seconds: u64,
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
        self.http.check(&mut problems);
        self.consumers.check(&mut problems);
        self.sweep.check(&mut problems);
        problems.into_result()
    }

    /// Where to listen.
    pub const fn listeners(&self) -> Listen {
        Listen {
            public: self.listen,
            ops: self.ops_listen,
        }
    }

    /// How long a stop waits for what is being done.
    pub const fn stop_grace(&self) -> Duration {
        Duration::from_secs(self.stop_seconds)
    }

    /// How long the gauges of what waits stay as they are.
    pub const fn observe_pause(&self) -> Duration {
        Duration::from_secs(self.observe_seconds)
    }
}

const fn default_listen() -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3005)
}

const fn default_ops_listen() -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9105)
}

const fn default_observe_seconds() -> u64 {
    5
}

const fn default_stop_seconds() -> u64 {
    20
}
