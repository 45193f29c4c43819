//! Counting within this process, while Redis does not answer.

use super::gcra::{Pace, Taken};
use super::key::Digest;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Callers that are remembered. About 1 MB.
const MAX_CALLERS: usize = 20_000;
/// How many make room at a time when there are more: those that used least of their limit.
const EVICTED: usize = MAX_CALLERS / 4;

/// The callers of this process.
#[derive(Debug)]
pub(super) struct Local {
    begin: Instant,
    full: Mutex<HashMap<Digest, u64>>,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            begin: Instant::now(),
            full: Mutex::default(),
        }
    }
}

impl Local {
    /// A call of `caller`.
    pub(super) fn take(&self, caller: Digest, pace: Pace) -> Taken {
        // Never 0, so that a caller is not as fresh as one that is not known.
        let now = u64::try_from(self.begin.elapsed().as_micros())
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        self.take_at(caller, pace, now)
    }

    /// Forgets everybody: Redis counts again.
    pub(super) fn clear(&self) {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        *full = HashMap::new();
    }

    fn take_at(&self, caller: Digest, pace: Pace, now: u64) -> Taken {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        if full.len() >= MAX_CALLERS && !full.contains_key(&caller) {
            make_room(&mut full, now);
        }
        let slot = full.entry(caller).or_insert(0);
        let (taken, after) = pace.take(*slot, now);
        *slot = after;
        taken
    }
}

fn make_room(full: &mut HashMap<Digest, u64>, now: u64) {
    full.retain(|_, at| *at > now);
    if full.len() < MAX_CALLERS {
        return;
    }
    let mut times: Vec<u64> = full.values().copied().collect();
    let (_, bound, _) = times.select_nth_unstable(EVICTED);
    let bound = *bound;
    let mut left = EVICTED;
    full.retain(|_, at| {
        let goes = left > 0 && *at <= bound;
        left = left.saturating_sub(usize::from(goes));
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::super::RateLimit;
    use super::*;
    use std::time::Duration;

    fn pace(limit: u32) -> Pace {
        Pace::new(RateLimit {
            limit,
            period: Duration::from_mins(1),
            block: Duration::ZERO,
        })
    }

    #[test]
    fn a_flood_of_callers_takes_no_more_memory_and_frees_nobody_who_is_over_the_limit() {
        let local = Local::default();
        let busy = [255; 16];
        for _ in 0..10 {
            local.take_at(busy, pace(10), 1);
        }
        assert!(!local.take_at(busy, pace(10), 1).admitted);
        for caller in 0..100_000u128 {
            assert!(local.take_at(caller.to_be_bytes(), pace(10), 2).admitted);
            assert!(
                local
                    .full
                    .lock()
                    .is_ok_and(|full| full.len() <= MAX_CALLERS)
            );
        }
        assert!(!local.take_at(busy, pace(10), 3).admitted);
    }
}
