//! When a VAU may be handed in.

use crate::Refusal;
use contracts::Code;
use contracts::vau::VauSubmission;
use domain::EpochMs;
use domain::time::Window;

/// Refuses a VAU whose timestamp lies outside the window at `now`: 30 s back, 5 s ahead.
pub fn check(vau: &VauSubmission, now: EpochMs) -> Result<(), Refusal> {
    match vau.signed_fields().window(now) {
        Window::Inside => Ok(()),
        Window::Past => Err(Refusal::new(
            Code::VauStale,
            "The timestamp is more than 30 seconds old; submit a VAU when it is made.",
        )),
        Window::Future => Err(Refusal::new(
            Code::VauFuture,
            "The timestamp is more than 5 seconds ahead of our clock; set the device's clock.",
        )),
    }
}
