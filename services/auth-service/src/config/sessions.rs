//! How long sessions live.

use crate::domain::refresh::SessionPolicy;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// How long sessions live, and how many a user may have.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SessionConfig {
    /// A session that is not refreshed for this long is over: 14 days.
    #[schemars(range(min = 60, max = 31_536_000))]
    pub idle_seconds: u64,
    /// A session is over after this, however much it is used: 30 days.
    #[schemars(range(min = 60, max = 31_536_000))]
    pub absolute_seconds: u64,
    /// How long a refresh token that was just used still gets the one that replaced it: for two tabs, or a reply that
    /// was lost. Used later, it ends the session.
    #[schemars(range(min = 0, max = 300))]
    pub grace_seconds: u64,
    /// A sign-in beyond this many open sessions of a user ends the oldest.
    #[schemars(range(min = 1, max = 1_000))]
    pub max_per_user: u32,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            idle_seconds: 14 * 24 * 3_600,
            absolute_seconds: 30 * 24 * 3_600,
            grace_seconds: 30,
            max_per_user: 20,
        }
    }
}

impl SessionConfig {
    /// The same, as the rules use it.
    pub(crate) const fn policy(&self) -> SessionPolicy {
        SessionPolicy {
            idle: Duration::from_secs(self.idle_seconds),
            absolute: Duration::from_secs(self.absolute_seconds),
            grace: Duration::from_secs(self.grace_seconds),
            per_user: self.max_per_user,
        }
    }
}
