//! The whole platform: journeys, and what happens when parts of it die.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may stop on the spot, and a long one says what it did"
)]

mod cli;
mod compose;
mod crash;
mod edge_soak;
mod journeys;
mod money;
mod outage;
mod redelivery;
mod replay;
mod soak;
mod two_instances;
mod verify;
