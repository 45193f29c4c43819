//! Journeys and fault tests over the whole running platform: what they share.
//!
//! One platform is started for all tests of the process; they take turns, since each of them stops
//! or kills parts of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    reason = "only tests use this crate, and a test may stop on the spot"
)]

pub mod money;
mod pair;
mod sender;
mod turn;
mod walker;

pub use pair::Pair;
pub use sender::{Addresses, Sender, Told};
pub use turn::{Turn, eventually};
pub use walker::{Tally, Walker};
