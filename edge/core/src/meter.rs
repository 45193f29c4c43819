//! What of a day's free allowances is used, counted operation by operation, and what is left out as they run low.
//!
//! Figures of the free plan, a UTC day (Cloudflare's limits pages for Workers, Durable Objects, Queues and R2): 100,000
//! requests to Workers; 100,000 requests to Durable Objects; 100,000 rows written in SQLite, deletions and alarms
//! among them; 5,000,000 rows read; 10,000 queue operations, three for each message up to 64 KB (further tries of
//! the queue are not seen here); R2
//! 1,000,000 class A operations a month.

use domain::EpochMs;
use serde::{Deserialize, Serialize};

/// Requests that reach a Worker in a day.
pub const REQUESTS: u64 = 100_000;
/// Requests to Durable Objects in a day.
pub const OBJECT_REQUESTS: u64 = 100_000;
/// Rows written in a day.
pub const ROWS_WRITTEN: u64 = 100_000;
/// Rows read in a day.
pub const ROWS_READ: u64 = 5_000_000;
/// Queue operations in a day.
pub const QUEUE_OPERATIONS: u64 = 10_000;
/// R2 class A operations in a day: a month's million over 31 days.
pub const ARCHIVE_WRITES: u64 = 32_258;

/// A queue operation carries this many bytes.
const QUEUE_UNIT: usize = 64_000;

/// Percent of an allowance from which hourly analytics are no longer sent.
const WITHOUT_ANALYTICS: u64 = 70;
/// Percent from which segments are collected for longer.
const LONGER_FLUSH: u64 = 80;
/// Percent from which clients are asked for larger batches.
const LARGER_BATCHES: u64 = 85;
/// Percent from which nothing is taken in: what is left delivers what was accepted.
const NOTHING_MORE: u64 = 95;

/// What is used of a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// Days since 1970, UTC.
    pub day: u64,
    /// Requests that reached a Worker.
    pub requests: u64,
    /// Requests to Durable Objects; an alarm is one.
    pub object_requests: u64,
    /// Rows written, deleted ones and alarms included.
    pub rows_written: u64,
    /// Rows that queries looked at.
    pub rows_read: u64,
    /// Queue operations.
    pub queue_operations: u64,
    /// R2 class A operations.
    pub archive_writes: u64,
}

/// How far the day's allowances are used, and what is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing is.
    Plenty,
    /// Hourly analytics are not sent.
    WithoutAnalytics,
    /// Segments are collected four times as long.
    LongerFlush,
    /// Clients are asked for larger batches.
    LargerBatches,
    /// Nothing more is taken in.
    Exhausted,
}

impl Usage {
    /// The usage to add to at `now`: a new day starts from nothing.
    pub fn today(&mut self, now: EpochMs) -> &mut Self {
        if self.day != now.utc_day() {
            *self = Self {
                day: now.utc_day(),
                ..Self::default()
            };
        }
        self
    }

    /// Counts a message of `bytes` that was put on a queue: written, read, deleted.
    pub fn message(&mut self, bytes: usize) {
        let units = u64::try_from(bytes.div_ceil(QUEUE_UNIT).max(1)).unwrap_or(1);
        self.queue_operations = self
            .queue_operations
            .saturating_add(units.saturating_mul(3));
    }

    /// The allowance that is used most, in percent rounded down.
    pub fn percent(&self) -> u64 {
        [
            (self.requests, REQUESTS),
            (self.object_requests, OBJECT_REQUESTS),
            (self.rows_written, ROWS_WRITTEN),
            (self.rows_read, ROWS_READ),
            (self.queue_operations, QUEUE_OPERATIONS),
            (self.archive_writes, ARCHIVE_WRITES),
        ]
        .into_iter()
        .map(|(used, allowed)| used.saturating_mul(100) / allowed)
        .max()
        .unwrap_or(0)
    }

    /// What is left out by now.
    pub fn stage(&self, now: EpochMs) -> Stage {
        if self.day != now.utc_day() {
            return Stage::Plenty;
        }
        match self.percent() {
            p if p >= NOTHING_MORE => Stage::Exhausted,
            p if p >= LARGER_BATCHES => Stage::LargerBatches,
            p if p >= LONGER_FLUSH => Stage::LongerFlush,
            p if p >= WITHOUT_ANALYTICS => Stage::WithoutAnalytics,
            _ => Stage::Plenty,
        }
    }
}

/// Milliseconds until the allowances start anew.
pub fn until_tomorrow(now: EpochMs) -> u64 {
    const DAY_MS: u64 = 86_400_000;
    DAY_MS - now.get() % DAY_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;

    fn used(rows_written: u64) -> Usage {
        Usage {
            day: 1,
            rows_written,
            ..Usage::default()
        }
    }

    #[test]
    fn what_is_left_out_grows_in_the_stated_order_and_money_goes_last() {
        let now = EpochMs::new(DAY).unwrap();
        let stages = [0, 69_999, 70_000, 80_000, 85_000, 94_999, 95_000, u64::MAX];
        let stages = stages.map(|rows| used(rows).stage(now));
        assert_eq!(
            stages,
            [
                Stage::Plenty,
                Stage::Plenty,
                Stage::WithoutAnalytics,
                Stage::LongerFlush,
                Stage::LargerBatches,
                Stage::LargerBatches,
                Stage::Exhausted,
                Stage::Exhausted
            ]
        );
    }

    #[test]
    fn a_new_day_starts_with_full_allowances() {
        let mut usage = used(99_999);
        let tomorrow = EpochMs::new(2 * DAY).unwrap();
        assert_eq!(usage.stage(tomorrow), Stage::Plenty);
        assert_eq!(usage.today(tomorrow).rows_written, 0);
        assert_eq!(until_tomorrow(EpochMs::new(2 * DAY - 5).unwrap()), 5);
    }

    #[test]
    fn a_long_message_costs_what_the_queue_bills() {
        let mut usage = Usage::default();
        usage.message(10);
        usage.message(64_000);
        assert_eq!(usage.queue_operations, 6);
        usage.message(64_001);
        assert_eq!(usage.queue_operations, 12);
    }
}
