//! Counting ahead of Redis: for limits so high that a tenth of a second of use more or less does not matter.
//!
//! A call is admitted by what this instance knows of its caller, and is told to Redis soon after, together with all
//! others of that time; the answer is what is known from then on, the calls at other instances included. So a request
//! does not wait for Redis, and Redis is asked ten times a second, however many requests there are.

use super::gcra::{Pace, Taken};
use super::key::Caller;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long Redis does not know of a call.
const TELL_AFTER: Duration = Duration::from_millis(100);
/// Or until a caller has used this part of its limit meanwhile.
const TELL_AT_PART: u64 = 100;
/// Callers that are known. About 2 MB.
const MAX_CALLERS: usize = 20_000;
/// Who has the whole limit again is looked for this often, in microseconds, while there is no room.
const SWEEP_EVERY: u64 = 1_000_000;
/// Callers that Redis is told of in one step, which nothing else there can come between.
const BATCH: usize = 200;

/// What this instance knows.
#[derive(Debug)]
pub(super) struct Ahead {
    begin: Instant,
    callers: Mutex<Callers>,
    /// There is something to tell.
    some: Notify,
    /// It is to be told now.
    urgent: Notify,
}

#[derive(Debug, Default)]
struct Callers {
    known: HashMap<Caller, Known>,
    /// Those with calls that were not told.
    waiting: Vec<Caller>,
    /// When room was last made, in microseconds since `begin`.
    swept: u64,
}

#[derive(Debug)]
struct Known {
    /// When the whole limit is there again, in microseconds since `begin`.
    full: u64,
    untold: u64,
}

/// Calls that Redis does not know of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Untold {
    pub(super) caller: Caller,
    pub(super) calls: u64,
}

impl Default for Ahead {
    fn default() -> Self {
        Self {
            begin: Instant::now(),
            callers: Mutex::default(),
            some: Notify::new(),
            urgent: Notify::new(),
        }
    }
}

impl Ahead {
    /// A call of `caller`. `None`: so many callers are known that there is no room for another.
    pub(super) fn take(&self, caller: Caller, limit: u32, pace: Pace) -> Option<Taken> {
        let now = self.now();
        let mut callers = self.callers();
        let Callers {
            known,
            waiting,
            swept,
        } = &mut *callers;
        if known.len() >= MAX_CALLERS && !known.contains_key(&caller) {
            if now.saturating_sub(*swept) >= SWEEP_EVERY {
                *swept = now;
                known.retain(|_, it| it.full > now || it.untold > 0);
            }
            if known.len() >= MAX_CALLERS {
                return None;
            }
        }
        let known = known.entry(caller).or_insert(Known { full: 0, untold: 0 });
        let (taken, full) = pace.take(known.full, now);
        known.full = full;
        if taken.admitted {
            known.untold = known.untold.saturating_add(1);
            if known.untold == 1 {
                waiting.push(caller);
                if waiting.len() == 1 {
                    self.some.notify_one();
                }
            }
            if known.untold == u64::from(limit) / TELL_AT_PART {
                self.urgent.notify_one();
            }
        }
        Some(taken)
    }

    /// When it is time to tell.
    pub(super) async fn due(&self) {
        self.some.notified().await;
        let _ = tokio::time::timeout(TELL_AFTER, self.urgent.notified()).await;
    }

    /// Some of what is to be told; it counts as told from now on.
    pub(super) fn untold(&self) -> Vec<Untold> {
        let mut callers = self.callers();
        let Callers { known, waiting, .. } = &mut *callers;
        let rest = waiting.len().saturating_sub(BATCH);
        let batch = waiting.split_off(rest);
        let take = |caller: Caller| {
            let known = known.get_mut(&caller)?;
            Some(Untold {
                caller,
                calls: std::mem::take(&mut known.untold),
            })
        };
        batch.into_iter().filter_map(take).collect()
    }

    /// What Redis says of a caller: `reset` microseconds until the whole limit is there again.
    pub(super) fn learn(&self, caller: Caller, reset: u64, pace: Pace) {
        let now = self.now();
        if let Entry::Occupied(mut known) = self.callers().known.entry(caller) {
            let full = now.saturating_add(reset);
            // Calls that came in while Redis answered.
            known.get_mut().full = pace.later(full, known.get().untold);
        }
    }

    /// Forgets everybody: what Redis knows is not to be had.
    pub(super) fn clear(&self) {
        *self.callers() = Callers::default();
    }

    fn callers(&self) -> MutexGuard<'_, Callers> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never 0, so that a caller is not as fresh as one that is not known.
    fn now(&self) -> u64 {
        let now = u64::try_from(self.begin.elapsed().as_micros());
        now.unwrap_or(u64::MAX).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RateClass, RateKey, RateLimit};
    use super::*;
    use uuid::Uuid;

    const CLASS: RateClass = RateClass::Read;
    const LIMIT: u32 = 1_000;
    const DAY: u64 = 86_400_000_000;

    fn pace() -> Pace {
        Pace::new(RateLimit {
            limit: LIMIT,
            period: Duration::from_micros(DAY),
            block: Duration::ZERO,
        })
    }

    fn caller(number: u128) -> Caller {
        RateKey::Principal(Uuid::from_u128(number)).caller(CLASS)
    }

    fn take(ahead: &Ahead, number: u128) -> bool {
        let taken = ahead.take(caller(number), LIMIT, pace());
        taken.is_some_and(|taken| taken.admitted)
    }

    #[test]
    fn every_admitted_call_is_told_once_and_no_refused_one() {
        let ahead = Ahead::default();
        assert_eq!(ahead.untold(), []);
        let admitted = (0..1_500).filter(|_| take(&ahead, 1)).count();
        assert_eq!(admitted, 1_000);
        assert!(take(&ahead, 2));
        let mut told = ahead.untold();
        told.sort_by_key(|it| it.caller);
        let of = |number, calls| Untold {
            caller: caller(number),
            calls,
        };
        assert_eq!(told, [of(1, 1_000), of(2, 1)]);
        assert_eq!(ahead.untold(), []);
        assert!(!take(&ahead, 1));
        assert_eq!(ahead.untold(), []);
    }

    #[test]
    fn what_others_admitted_counts_and_so_do_calls_that_came_in_meanwhile() {
        let ahead = Ahead::default();
        assert!(take(&ahead, 1));
        assert_eq!(ahead.untold().len(), 1);
        // 990 in all, and 5 more here while Redis answered.
        for _ in 0..5 {
            assert!(take(&ahead, 1));
        }
        ahead.learn(caller(1), DAY / 1_000 * 990, pace());
        let admitted = (0..100).filter(|_| take(&ahead, 1)).count();
        assert_eq!(admitted, 5);
    }

    #[test]
    fn a_flood_of_callers_takes_no_more_memory_and_frees_nobody_who_is_over_the_limit() {
        let ahead = Ahead::default();
        while take(&ahead, u128::MAX) {}
        for number in 0..30_000 {
            take(&ahead, number);
            ahead.untold();
        }
        assert!(ahead.callers().known.len() <= MAX_CALLERS);
        assert!(!take(&ahead, u128::MAX));
    }

    #[test]
    fn more_callers_than_fit_into_one_step_are_told_in_several() {
        let ahead = Ahead::default();
        for number in 0..256 {
            assert!(take(&ahead, number));
        }
        let mut told: Vec<_> = (0..3).map(|_| ahead.untold().len()).collect();
        told.sort_unstable();
        assert_eq!(told, [0, 56, 200]);
    }
}
