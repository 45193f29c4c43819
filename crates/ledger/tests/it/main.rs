//! The ledger on a real PostgreSQL.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod checks;
mod concurrency;
mod grants;
mod posting;
mod support;
