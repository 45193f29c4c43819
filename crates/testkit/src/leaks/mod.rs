//! Finding out where a private value went.
//!
//! A test plants canaries, drives a service with them, and then looks through everything that the service wrote: its
//! logs, metrics and answers as text, its [`database`] and its [`redis`] as a whole.

mod canary;
pub mod database;
pub mod redis;
mod search;

pub use canary::{Canaries, Finding};
pub use search::{assert_search_finds, in_stores, password, planted, watch_planted};
