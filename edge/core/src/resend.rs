//! When a segment that nobody acknowledged is sent again.

use domain::EpochMs;

/// The longest wait between two sendings: an hour of outage costs a handful of copies, and delivery starts
/// again soon after it.
pub const MAX_WAIT_MS: u64 = 900_000;

/// After the queue refused a message, the wait before the next try.
pub const QUEUE_RETRY_MS: u64 = 1_000;

/// When a segment that has been sent `sent` times goes out next: `after`, doubled with every sending.
pub fn next(sent: u32, after_ms: u64, now: EpochMs) -> u64 {
    let doubled = 1u64.checked_shl(sent.saturating_sub(1)).unwrap_or(u64::MAX);
    let wait = after_ms
        .saturating_mul(doubled)
        .min(MAX_WAIT_MS.max(after_ms));
    now.get().saturating_add(wait)
}

/// Seconds before the queue hands a message over again that is `age_ms` old: about as long again, at most a
/// minute, so that a short outage is over quickly and a long one is not hammered.
pub fn queue_delay_seconds(age_ms: u64) -> u32 {
    u32::try_from((age_ms / 1_000).clamp(1, 60)).unwrap_or(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_ends_at_a_quarter_of_an_hour() {
        let now = EpochMs::new(1_000).unwrap();
        let wait = |sent| next(sent, 60_000, now) - 1_000;
        assert_eq!(
            [wait(1), wait(2), wait(3), wait(4)],
            [60_000, 120_000, 240_000, 480_000]
        );
        for sent in 5..200 {
            assert_eq!(wait(sent), MAX_WAIT_MS);
        }
        assert_eq!(next(u32::MAX, 86_400_000, now), 86_401_000);
    }

    #[test]
    fn the_queue_neither_hammers_nor_forgets() {
        assert_eq!(queue_delay_seconds(0), 1);
        assert_eq!(queue_delay_seconds(7_900), 7);
        assert_eq!(queue_delay_seconds(u64::MAX), 60);
    }
}
