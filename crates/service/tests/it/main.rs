//! The shell against real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop on the spot"
)]

mod config;
mod hmac;
mod issuer;
mod jwks;
mod principal;
mod probe;
mod shell;
mod strict_json;
mod tokens;
mod version;
mod world;
