//! Liveness and readiness.

use serde::{Deserialize, Serialize};

/// `GET /health`: the process answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Health {
    /// Always `ok`.
    pub status: String,
    /// The server's clock, RFC 3339.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub timestamp: String,
}

/// `GET /ready`: 200 when every check passes, else 503 with the same body.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Readiness {
    /// `ready` or `not ready`.
    pub status: String,
    /// The server's clock, RFC 3339.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub timestamp: String,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// One dependency.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Check {
    /// `postgres`, `redis`, `schema`, `keys`, …
    pub name: String,
    /// Whether it can be used now.
    pub ok: bool,
}
