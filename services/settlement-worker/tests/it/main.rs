//! settlement-worker as a program, on real PostgreSQL and Redis.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod books;
mod checks;
mod contract;
mod expiry;
mod jobs;
mod outages;
mod payouts;
mod program;
mod reference;
mod relay;
mod sealer;
mod stream;
mod surface;
mod sweeps;
mod tiers;
mod world;
