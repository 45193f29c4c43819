//! People who stake, claim and are paid, each of whom knows to the unit what they must have.

mod book;
mod dice;
mod fault;
mod market;
mod person;

pub use book::Book;
pub use dice::Dice;
pub use fault::Fault;
pub use market::Market;
pub use person::{Person, Sure};

/// Base units in a TWIST.
pub const TWIST: u64 = 1_000_000_000;
