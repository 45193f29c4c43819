//! What listens to events.

use crate::state::AppState;
use crate::task::Task;

/// Every consumer, a line each: `state.consumer(|| handler)`.
pub fn consumers(_state: &AppState) -> Vec<Task> {
    // No area has a consumer yet.
    Vec::new()
}
