//! Running a database transaction again that had to give way to another.

use crate::error::LedgerError;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// How often a transaction is run at most.
const ATTEMPTS: u32 = 5;

/// The longest first wait; it doubles each time.
const FIRST_WAIT_US: u64 = 4_000;

/// Counts the attempts of one transaction, for who begins and commits it:
///
/// ```text
/// let mut attempts = Attempts::default();
/// loop {
///     match work_in_a_transaction(&db).await {
///         Err(error) if attempts.again(&error).await => {}
///         result => return result,
///     }
/// }
/// ```
#[derive(Debug, Default)]
pub struct Attempts(u32);

impl Attempts {
    /// Whether to run it again from its start: it met another (SQLSTATE 40001, 40P01) and was run fewer
    /// than five times. Waits a random time first, so that the two do not meet again.
    pub async fn again(&mut self, error: &LedgerError) -> bool {
        self.0 = self.0.saturating_add(1);
        if self.0 >= ATTEMPTS || !error.is_contention() {
            return false;
        }
        tokio::time::sleep(wait(self.0, RandomState::new().hash_one(self.0))).await;
        true
    }
}

/// The wait after `attempt`, 1 or more: `random` within a span that doubles.
fn wait(attempt: u32, random: u64) -> Duration {
    let span = FIRST_WAIT_US << attempt.saturating_sub(1).min(ATTEMPTS);
    Duration::from_micros(random % span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_short() {
        assert_eq!(wait(1, 3_999), Duration::from_micros(3_999));
        assert_eq!(wait(1, 4_000), Duration::ZERO);
        assert_eq!(wait(4, 31_999), Duration::from_micros(31_999));
        assert!((1..9).all(|n| wait(n, u64::MAX) < Duration::from_millis(200)));
    }
}
