//! The HTTP shell that every service shares.
//!
//! A service declares its routes, each with its rule, in [`access::Routes`], with the extractors of [`extract`],
//! [`auth`] and [`hmac`], wraps them in a [`server::App`] and hands that to [`server::start`]. The shell gives every
//! request an id, a log line, a metric, a time limit and an error body; the service only has rules.

pub mod access;
pub mod auth;
pub mod clock;
pub mod config;
pub mod db;
pub mod error;
pub mod extract;
pub mod health;
pub mod hmac;
pub mod idempotency;
pub mod limit;
pub mod probe;
pub mod reads;
pub mod redis;
pub mod server;
pub mod version;

pub use error::ApiError;
