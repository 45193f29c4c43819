//! Real PostgreSQL and Redis for tests, a database per test, fault tools.
//!
//! A test process has one cluster and one Redis, started by whoever needs them first and removed when
//! the process is gone, however it went. [`TestDb`] and [`TestRedis`] are parts of them for one test.
//! A test that stops or kills a server takes [`OwnPostgres`] or [`OwnRedis`], which are its alone.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "only tests use this crate, and a test may stop on the spot"
)]

mod database;
mod folder;
pub mod hostile;
mod invariants;
pub mod leaks;
mod own;
pub mod program;
mod proxy;
mod redis;
mod resp;
mod shared;

pub use database::TestDb;
pub use invariants::assert_ledger_invariants;
pub use own::{OwnPostgres, OwnRedis};
pub use proxy::{CutProxy, SpreadProxy};
pub use redis::TestRedis;
pub use resp::ask as ask_redis;
