//! What security-worker lets through to the Worker behind it: known routes, each with its methods and media
//! types, and the headers that somebody there reads.

mod headers;
mod route;

pub(crate) use headers::is_framing_clear;
pub use headers::{Forwarded, forward};
pub use route::{Body, Class, Route, find};

use crate::Refusal;
use contracts::Code;

/// The longest body that is passed on, in bytes. Routes may allow less.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The body is longer than [`MAX_BODY_BYTES`].
pub const fn too_large() -> Refusal {
    Refusal::new(
        Code::RequestTooLarge,
        "The body must not be longer than 1 MiB.",
    )
}

/// Whether the length that is announced is too long already.
pub fn announces_too_much(content_length: Option<&str>) -> bool {
    content_length
        .and_then(|length| length.trim().parse::<u64>().ok())
        .is_some_and(|length| length > MAX_BODY_BYTES as u64)
}
