//! The SQLite Durable Object of the edge: what is accepted is in its storage before the answer leaves, and
//! stays there until the backend has acknowledged it.
//!
//! - [`VauShard`]: the object, called with the messages of [`edge_core::shard`].
//! - [`Bindings`]: the one place that asks the runtime for a binding by name.

mod accept;
mod bindings;
mod deliver;
mod object;
mod schema;
mod store;
mod transaction;

pub use bindings::Bindings;
pub use object::VauShard;

use domain::EpochMs;
use worker::Date;

/// The runtime's clock.
pub fn now() -> EpochMs {
    EpochMs::new(Date::now().as_millis()).unwrap_or(EpochMs::MAX)
}

/// Writes one structured line to the log.
pub fn log_error(message: &str, cause: &dyn std::fmt::Display) {
    let line =
        serde_json::json!({ "level": "error", "message": message, "cause": cause.to_string() });
    worker::console_error!("{line}");
}
