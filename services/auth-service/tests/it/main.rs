//! The service against real Postgres and Redis.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test may stop on the spot"
)]

mod access;
mod bad_input;
mod canary;
mod contract;
mod forged;
mod hardware;
mod hostile_input;
mod key_life;
mod key_program;
mod keys;
mod logs;
mod outages;
mod process;
mod program;
mod reference;
mod refresh;
mod sessions;
mod sign_in;
mod surface;
mod wallets;
mod world;
