//! How often a caller may call.
//!
//! Redis counts, so that all instances share one limit; while it does not answer, each instance counts for itself, at
//! half the rate. What is counted by the thousand is counted here first and told to Redis a moment later.

mod ahead;
mod class;
mod config;
mod decision;
mod gcra;
mod key;
mod limiter;
mod local;

pub use class::RateClass;
pub use config::{LimitConfig, Number, RateLimit, RateLimits};
pub use decision::Decision;
pub use key::RateKey;
pub use limiter::Limiter;
