//! The generic cell rate algorithm, over one number for each caller.

use super::RateLimit;

/// A limit in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// What one call costs.
    step: u64,
    period: u64,
    block: u64,
}

/// What became of a call. Times are in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) admitted: bool,
    pub(super) remaining: u64,
    /// Until the whole limit is there again.
    pub(super) reset: u64,
    /// Until a call is admitted again; only of one that is not.
    pub(super) wait: u64,
}

impl Pace {
    /// At most `limit.limit` calls at once, and as many in every period.
    pub(super) fn new(limit: RateLimit) -> Self {
        let micros =
            |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let period = micros(limit.period).max(1);
        Self {
            step: (period / u64::from(limit.limit.max(1))).max(1),
            period,
            block: micros(limit.block),
        }
    }

    /// `full` after so many more calls, whether or not there was room for them.
    pub(super) fn later(self, full: u64, calls: u64) -> u64 {
        full.saturating_add(self.step.saturating_mul(calls))
    }

    /// A call at `now`, of a caller whose whole limit is there again at `full`: what becomes of it, and the new `full`.
    pub(super) fn take(self, full: u64, now: u64) -> (Taken, u64) {
        let full = full.max(now);
        let after = full.saturating_add(self.step);
        let horizon = now.saturating_add(self.period);
        if after <= horizon {
            let taken = Taken {
                admitted: true,
                remaining: horizon.saturating_sub(after) / self.step,
                reset: after.saturating_sub(now),
                wait: 0,
            };
            return (taken, after);
        }
        // The first call too many begins the block; those that follow do not draw it out.
        let full = if self.block > 0 && full <= horizon {
            horizon.saturating_add(self.block).saturating_sub(self.step)
        } else {
            full
        };
        let taken = Taken {
            admitted: false,
            remaining: 0,
            reset: full.saturating_sub(now),
            wait: full.saturating_add(self.step).saturating_sub(horizon),
        };
        (taken, full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SECOND: u64 = 1_000_000;

    fn pace(limit: u32, block: u64) -> Pace {
        Pace::new(RateLimit {
            limit,
            period: Duration::from_mins(1),
            block: Duration::from_secs(block),
        })
    }

    #[test]
    fn a_caller_gets_the_limit_at_once_and_then_one_call_for_each_step() {
        let (pace, now) = (pace(6, 0), 1_000 * SECOND);
        let mut full = 0;
        for left in (0..6).rev() {
            let (taken, next) = pace.take(full, now);
            assert!(taken.admitted);
            assert_eq!(taken.remaining, left);
            full = next;
        }
        let (taken, full) = pace.take(full, now);
        assert!(!taken.admitted);
        assert_eq!(taken.wait, 10 * SECOND);
        assert!(!pace.take(full, now + 10 * SECOND - 1).0.admitted);
        assert!(pace.take(full, now + 10 * SECOND).0.admitted);
    }

    #[test]
    fn a_block_lasts_its_time_and_is_not_drawn_out_by_trying() {
        let (pace, now) = (pace(2, 600), 1_000 * SECOND);
        let (_, full) = pace.take(0, now);
        let (_, full) = pace.take(full, now);
        let (taken, full) = pace.take(full, now);
        assert_eq!(taken.wait, 600 * SECOND);
        let (taken, full) = pace.take(full, now + 500 * SECOND);
        assert_eq!(taken.wait, 100 * SECOND);
        assert!(pace.take(full, now + 600 * SECOND).0.admitted);
    }
}
