//! Whether what a service says is what its `OpenAPI` document promises. Only tests use it.
//!
//! - [`access`] walks the authorisation table with every kind of caller.
//! - [`Contract`] judges one answer, [`Watch`] every answer of a service under test.
//! - [`additive`] finds what a newer document would break for the clients of an older one.
//! - [`example`] is the published configuration of a service.
//! - [`reference`] keeps what the code generates equal to what is committed under `docs/reference/`.
//! - [`structure`] says what a document lacks that a reader or a generator of clients needs.

#![allow(
    clippy::panic,
    reason = "only tests use this crate, and a test may stop on the spot"
)]

pub mod access;
pub mod additive;
mod contract;
pub mod example;
pub mod reference;
mod route;
mod strict;
pub mod structure;
mod watch;

pub use contract::{Contract, Violation};
pub use watch::Watch;
