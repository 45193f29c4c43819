//! The backend in containers: the Compose file, its variables, and whether the real programs can work with
//! what it gives them.

#![allow(clippy::panic, reason = "a test may stop on the spot")]

mod file;
mod shape;
mod variables;
mod world;
