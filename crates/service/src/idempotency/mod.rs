//! `Idempotency-Key`: a request that is sent again has its effect once, and is answered the same.
//!
//! What a request was answered is written in the transaction of its effect, so a crash leaves both or neither. A key
//! belongs to a user and a route; it comes with one request, which is known by the SHA-256 of path and body.
//!
//! | the key was sent before | answer |
//! | --- | --- |
//! | never, or too long ago | the effect's |
//! | with an equal request that is still served | 409 `idempotency.in_progress` |
//! | with an equal request | what that was answered, with `Idempotency-Replayed: true` |
//! | with another request | 422 `idempotency.key_reused` |
//!
//! Successes and refusals (4xx) are kept; a failure on our side (5xx) is not, and the request can be sent again.

mod key;
mod once;
mod stored;

pub use key::{IDEMPOTENCY_KEY, RequestKey};
pub use once::{Answer, Effect, KEEP_A_DAY, KEEP_A_MONTH, once};
pub use stored::sweep;
