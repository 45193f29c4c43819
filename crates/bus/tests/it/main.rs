//! Events and jobs on real PostgreSQL and Redis, with faults.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used
)]

mod consumers;
mod dead_letters;
mod faults;
mod jobs;
mod killed;
mod outages;
mod relays;
mod sweeps;
mod world;
