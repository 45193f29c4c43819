//! Runs PostgreSQL, Redis and our own processes on this machine.
//!
//! Everything blocks and polls; callers that are asynchronous put it on a blocking thread. A process
//! that is started here ends with its owner: when its handle is dropped, and also when the owner is
//! killed, because a [`Reaper`] watches it. Only [`Process::detach`] lets one live on.

pub mod binaries;
mod error;
mod identity;
mod log;
mod ordinary_user;
mod ports;
mod postgres;
mod probe;
mod process;
mod reaper;
mod redis;
mod secret;

pub use error::StackError;
pub use identity::Identity;
pub use log::{last_lines, last_lines_since};
pub use ordinary_user::{OrdinaryUser, is_root, postgres_home};
pub use ports::{free_port, is_free, preferred_or_free};
pub use postgres::{Durability, Passwords, Postgres, PostgresSpec, Role};
pub use probe::{http_status, poll_until};
pub use process::{Process, Spec, StopSignal};
pub use reaper::Reaper;
pub use redis::{Redis, RedisSpec};
pub use secret::random_hex;
