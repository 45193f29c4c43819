//! The judges themselves: each finds what it is there for, and nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop on the spot"
)]

mod additive;
mod contract;
mod watch;
