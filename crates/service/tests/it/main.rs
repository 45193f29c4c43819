//! The shell against real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop on the spot"
)]

mod bodies;
mod config;
mod docs;
mod drain;
mod hmac;
mod http_config;
mod issuer;
mod jwks;
mod limits;
mod order;
mod origins;
mod paths;
mod principal;
mod probe;
mod raw;
mod reads;
mod shell;
mod slow;
mod smuggling;
mod strict_json;
mod tokens;
mod version;
mod world;
