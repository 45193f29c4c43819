//! What an auditor relies on, from outside.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod flips;
mod manifests;
mod schema;
mod world;
