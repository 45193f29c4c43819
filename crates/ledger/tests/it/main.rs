//! The ledger on a real PostgreSQL.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod chain;
mod checks;
mod concurrency;
mod explain;
mod freeze;
mod grants;
mod interleavings;
mod phases;
mod posting;
mod reversal;
mod support;
