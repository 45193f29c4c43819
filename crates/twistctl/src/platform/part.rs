//! The parts of the local platform.

use serde::{Deserialize, Serialize};

/// One process, in the order in which they are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// `PostgreSQL`.
    Postgres,
    /// Redis.
    Redis,
    /// auth-service.
    Auth,
    /// influencer-api.
    Api,
    /// settlement-worker.
    Settlement,
    /// The Worker in workerd.
    Edge,
}

impl Part {
    /// Every part, in starting order.
    pub const ALL: [Self; 6] = [
        Self::Postgres,
        Self::Redis,
        Self::Auth,
        Self::Api,
        Self::Settlement,
        Self::Edge,
    ];

    /// As in `status --json` and in the names of logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Auth => "auth",
            Self::Api => "api",
            Self::Settlement => "settlement",
            Self::Edge => "edge",
        }
    }

    /// Whether it is one of ours, with a URL of its own.
    pub const fn is_component(self) -> bool {
        matches!(self, Self::Auth | Self::Api | Self::Settlement | Self::Edge)
    }
}
