//! Fixed-window rate limits: at most so many requests an address in each minute of the clock.

use domain::EpochMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The length of a window.
pub const WINDOW_MS: u64 = 60_000;

/// Addresses that are counted at a time. Beyond that an isolate forgets, and only the exact limit of the Durable
/// Object holds; that one takes no further addresses in until the next minute.
const MAX_ADDRESSES: usize = 20_000;

/// Where a caller stands, as `X-RateLimit-*` tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Requests a window.
    pub limit: u32,
    /// Requests left in this window.
    pub remaining: u32,
    /// When the next window starts, epoch ms.
    pub reset: u64,
}

impl Rate {
    /// Milliseconds until the next window.
    pub fn wait_ms(&self, now: EpochMs) -> u64 {
        self.reset.saturating_sub(now.get())
    }

    /// The stricter of two standings in the same window.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        if other.reset >= self.reset && other.remaining <= self.remaining {
            other
        } else {
            self
        }
    }
}

/// What is kept of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    /// Start of the window the count belongs to, epoch ms.
    pub window: u64,
    /// Requests taken in it.
    pub used: u32,
}

/// Whether a request is within the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is; keep the counter.
    Within(Counter, Rate),
    /// It is not; nothing changes.
    Beyond(Rate),
}

/// Takes one request from the window of `now`.
pub fn take(counter: Option<Counter>, limit: u32, now: EpochMs) -> Taken {
    let window = now.get() - now.get() % WINDOW_MS;
    let used = counter.filter(|c| c.window == window).map_or(0, |c| c.used);
    let rate = |used: u32| Rate {
        limit,
        remaining: limit.saturating_sub(used),
        reset: window + WINDOW_MS,
    };
    if used >= limit {
        return Taken::Beyond(rate(used));
    }
    let used = used.saturating_add(1);
    Taken::Within(Counter { window, used }, rate(used))
}

/// Counters by address, in memory. Those of an isolate stop a flood of requests that never get as far as the
/// Durable Object (no token, unreadable body), and cost nothing; those of the object are exact.
#[derive(Debug, Default)]
pub struct Addresses {
    counters: BTreeMap<String, Counter>,
    exact: bool,
}

/// A counter as it is kept: address, start of the window, requests taken in it.
pub type Kept = (String, u64, u32);

impl Addresses {
    /// None yet; forgets under a flood of addresses.
    pub const fn new() -> Self {
        Self {
            counters: BTreeMap::new(),
            exact: false,
        }
    }

    /// None yet; never forgets within a minute.
    pub const fn exact() -> Self {
        Self {
            counters: BTreeMap::new(),
            exact: true,
        }
    }

    /// The counters of the window of `now`.
    pub fn kept(&self, now: EpochMs) -> Vec<Kept> {
        let window = now.get() - now.get() % WINDOW_MS;
        let current = self.counters.iter().filter(|(_, c)| c.window == window);
        current
            .map(|(address, c)| (address.clone(), c.window, c.used))
            .collect()
    }

    /// Takes over what was kept.
    pub fn restore(&mut self, kept: Vec<Kept>) {
        for (address, window, used) in kept {
            self.counters.insert(address, Counter { window, used });
        }
    }

    /// Counts a request that was let through at `at`.
    pub fn count(&mut self, key: &str, at: EpochMs) {
        let window = at.get() - at.get() % WINDOW_MS;
        let counter = self.counters.entry(key.to_owned());
        let counter = counter.or_insert(Counter { window, used: 0 });
        if counter.window == window {
            counter.used = counter.used.saturating_add(1);
        } else if counter.window < window {
            *counter = Counter { window, used: 1 };
        }
    }

    /// Where `key` stands, without counting.
    pub fn look(&self, key: &str, limit: u32, now: EpochMs) -> Rate {
        match take(self.counters.get(key).copied(), limit, now) {
            Taken::Beyond(rate) => rate,
            Taken::Within(_, rate) => Rate {
                remaining: rate.remaining.saturating_add(1),
                ..rate
            },
        }
    }

    /// Takes one request of `key`: the caller's standing, `Err` when it is beyond the limit.
    pub fn take(&mut self, key: &str, limit: u32, now: EpochMs) -> Result<Rate, Rate> {
        match take(self.counters.get(key).copied(), limit, now) {
            Taken::Beyond(rate) => Err(rate),
            Taken::Within(counter, rate) => {
                if !self.make_room(key, counter.window) {
                    return Err(Rate {
                        remaining: 0,
                        ..rate
                    });
                }
                self.counters.insert(key.to_owned(), counter);
                Ok(rate)
            }
        }
    }

    /// Whether `key` can be counted.
    fn make_room(&mut self, key: &str, window: u64) -> bool {
        if self.counters.len() < MAX_ADDRESSES || self.counters.contains_key(key) {
            return true;
        }
        self.counters.retain(|_, c| c.window == window);
        if self.counters.len() >= MAX_ADDRESSES {
            if self.exact {
                return false;
            }
            self.counters.clear();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_hundred_and_first_request_waits_for_the_next_minute() {
        let at = |ms| EpochMs::new(ms).unwrap();
        let mut addresses = Addresses::new();
        for used in 1..=100 {
            let rate = addresses.take("a", 100, at(60_000)).unwrap();
            assert_eq!((rate.remaining, rate.reset), (100 - used, 120_000));
        }
        let rate = addresses.take("a", 100, at(119_999)).unwrap_err();
        assert_eq!((rate.remaining, rate.wait_ms(at(119_999))), (0, 1));
        assert!(addresses.take("b", 100, at(119_999)).is_ok());
        assert!(addresses.take("a", 100, at(120_000)).is_ok());
    }

    #[test]
    fn a_flood_of_addresses_does_not_grow_the_memory() {
        let mut addresses = Addresses::new();
        for i in 0..3 * MAX_ADDRESSES {
            let _ = addresses.take(&i.to_string(), 1, EpochMs::new(60_000).unwrap());
            assert!(addresses.counters.len() <= MAX_ADDRESSES);
        }
    }

    #[test]
    fn a_flood_of_addresses_does_not_give_the_counted_ones_a_fresh_minute() {
        let at = EpochMs::new(60_000).unwrap();
        let mut addresses = Addresses::exact();
        assert!(addresses.take("first", 1, at).is_ok());
        for i in 0..2 * MAX_ADDRESSES {
            let _ = addresses.take(&i.to_string(), 1, at);
        }
        assert!(addresses.counters.len() <= MAX_ADDRESSES);
        assert!(addresses.take("first", 1, at).is_err());
        assert!(addresses.take("another", 1, at).is_err());
        let next = EpochMs::new(120_000).unwrap();
        assert!(addresses.take("another", 1, next).is_ok());
    }

    #[test]
    fn what_was_kept_of_a_minute_still_counts() {
        let at = EpochMs::new(61_000).unwrap();
        let mut addresses = Addresses::exact();
        for _ in 0..3 {
            addresses.take("a", 5, at).unwrap();
        }
        let mut again = Addresses::exact();
        again.restore(addresses.kept(at));
        again.count("a", at);
        assert_eq!(again.look("a", 5, at).remaining, 1);
        assert!(again.take("a", 5, at).is_ok());
        assert!(again.take("a", 5, at).is_err());
    }

    proptest! {
        #[test]
        fn no_window_lets_more_through_than_the_limit(
            limit in 1u32..50, steps in prop::collection::vec(0u64..5_000, 1..400),
        ) {
            let (mut now, mut counter) = (0u64, None);
            let mut through: BTreeMap<u64, u32> = BTreeMap::new();
            for step in steps {
                now += step;
                if let Taken::Within(next, rate) = take(counter, limit, EpochMs::new(now).unwrap()) {
                    counter = Some(next);
                    *through.entry(now / WINDOW_MS).or_default() += 1;
                    prop_assert!(rate.remaining < limit && rate.reset > now);
                }
            }
            prop_assert!(through.values().all(|n| *n <= limit));
        }
    }
}
