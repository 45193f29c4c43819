//! When a VAU may be handed in.

use crate::Refusal;
use contracts::Code;
use contracts::vau::VauSubmission;
use domain::EpochMs;
use domain::time::Window;
use domain::vau::{MAX_AGE_MS, MAX_AHEAD_MS};

/// How much older than its batch a VAU may be.
pub const MAX_AGE_IN_BATCH_MS: u64 = 300_000;

const STALE: &str = "The timestamp is more than 30 seconds old; submit a VAU when it is made.";
const FUTURE: &str =
    "The timestamp is more than 5 seconds ahead of our clock; set the device's clock.";

/// Refuses a VAU whose timestamp lies outside the window at `now`: 30 s back, 5 s ahead.
pub fn check(vau: &VauSubmission, now: EpochMs) -> Result<(), Refusal> {
    match vau.signed_fields().window(now) {
        Window::Inside => Ok(()),
        Window::Past => Err(Refusal::new(Code::VauStale, STALE)),
        Window::Future => Err(Refusal::new(Code::VauFuture, FUTURE)),
    }
}

/// Refuses a batch that was submitted outside the window at `now`: 30 s back, 5 s ahead.
pub fn check_batch(submitted_at: EpochMs, now: EpochMs) -> Result<(), Refusal> {
    match submitted_at.within(now, MAX_AGE_MS, MAX_AHEAD_MS) {
        Window::Inside => Ok(()),
        Window::Past => Err(Refusal::new(
            Code::VauStale,
            "submittedAt is more than 30 seconds old; sign and send the batch anew.",
        )),
        Window::Future => Err(Refusal::new(
            Code::VauFuture,
            "submittedAt is more than 5 seconds ahead of our clock; set the device's clock.",
        )),
    }
}

/// Refuses a VAU that is more than five minutes older than its batch, or later than it.
pub fn check_in_batch(timestamp: EpochMs, submitted_at: EpochMs) -> Result<(), Refusal> {
    match timestamp.within(submitted_at, MAX_AGE_IN_BATCH_MS, MAX_AHEAD_MS) {
        Window::Inside => Ok(()),
        Window::Past => Err(Refusal::new(
            Code::VauStale,
            "The timestamp is more than 300 seconds before submittedAt; send VAUs sooner.",
        )),
        Window::Future => Err(Refusal::new(
            Code::VauFuture,
            "The timestamp is more than 5 seconds after submittedAt.",
        )),
    }
}
