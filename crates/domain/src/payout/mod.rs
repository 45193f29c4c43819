//! Payouts: what they cost, and the states that they go through.
//!
//! The rules are in `docs/reference/payouts.md`; `tests/vectors/payouts-v1.json` has the fees as numbers.

mod policy;
mod state;
#[cfg(test)]
mod state_tests;

pub use policy::{Policy, PolicyError, Quote, QuoteError};
pub use state::{AttemptState, Change, Refused, State, Status};
