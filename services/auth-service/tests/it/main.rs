//! The service against real Postgres and Redis.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test may stop on the spot"
)]

mod bad_input;
mod keys;
mod logs;
mod outages;
mod process;
mod program;
mod refresh;
mod sessions;
mod reference;
mod sign_in;
mod surface;
mod world;
