//! Every type that crosses a wire: HTTP bodies, queue messages, token claims, the error envelope.
//!
//! JSON is camelCase. A type that a client sends refuses unknown fields; a type that a client reads
//! may gain fields inside a version, never lose or change one.

pub mod account;
pub mod auth;
pub mod device;
pub mod event;
pub mod health;
pub mod ingest;
pub mod payout;
pub mod percent;
pub mod problem;
pub mod realtime;
mod redacted;
pub mod staking;
pub mod token;
pub mod vau;
pub mod version;
mod whole;

pub use problem::{Code, FieldError, Problem};

use serde::{Deserialize, Serialize};

/// The success envelope of the VAU routes: `{"success": true, "data": …}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Success<T> {
    /// Always true; errors are [`Problem`]s.
    pub success: bool,
    /// The result.
    pub data: T,
}

impl<T> Success<T> {
    /// Wraps a result.
    pub const fn of(data: T) -> Self {
        Self {
            success: true,
            data,
        }
    }
}
