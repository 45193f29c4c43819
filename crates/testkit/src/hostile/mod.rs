//! Walking every operation of a service, by its `OpenAPI` document, with input that nobody should send.
//!
//! The walk is made of the document, so a route that is added is walked without a change here. What only the test of
//! a service knows (who may call, what a good body is) it tells as a [`Caller`].

mod drive;
mod input;
mod operation;
mod sample;
mod walk;

pub use drive::Planted;
pub use input::{injections, malformed};
pub use operation::{Operation, Place, Request, operations};
pub use walk::{Caller, Walk};
