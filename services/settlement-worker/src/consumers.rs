//! What listens to events.

use crate::state::AppState;
use crate::task::Task;
use payouts::{LedgerAdapter, Settler};

/// Every consumer, a line each: `state.consumer(|| handler)`.
pub fn consumers(state: &AppState) -> Vec<Task> {
    vec![state.consumer(|| Settler::new(LedgerAdapter))]
}
