//! The SQLite Durable Object of the edge: what is accepted is in its storage before the answer leaves, and
//! stays there until the backend has acknowledged it.
//!
//! - [`VauShard`]: the object, called with the messages of [`edge_core::shard`].
//! - [`RateLimiter`]: the object that counts for security-worker, with the messages of [`edge_core::limiter`].
//! - [`Bindings`]: the one place that asks the runtime for a binding by name.

mod accept;
mod bindings;
mod deliver;
mod object;
mod rate_limiter;
mod schema;
mod store;
mod transaction;

pub use bindings::Bindings;
pub use edge_runtime::{log_error, now};
pub use object::VauShard;
pub use rate_limiter::RateLimiter;
