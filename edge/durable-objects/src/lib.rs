//! The SQLite Durable Objects of the edge: what is accepted is in its storage before the answer leaves, and
//! stays there until the backend has acknowledged it.
//!
//! - [`VauShard`]: takes VAUs in, called with the messages of [`edge_core::shard`].
//! - [`AuditLog`]: chains audit records, called with those of [`edge_core::audit`].
//! - [`CohortCensus`]: counts members of cohorts, called with those of [`edge_core::cohort`].
//! - [`RateLimiter`]: counts for security-worker, called with those of [`edge_core::limiter`].
//! - [`Bindings`]: the one place that asks the runtime for a binding by name.

mod accept;
mod audit_log;
mod bindings;
mod census;
mod deliver;
mod object;
mod rate_limiter;
mod schema;
mod store;
mod transaction;

pub use audit_log::AuditLog;
pub use bindings::Bindings;
pub use census::CohortCensus;
pub use edge_runtime::{log_error, now};
pub use object::VauShard;
pub use rate_limiter::RateLimiter;
