//! When a job is due.

use std::time::Duration;
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

/// The times at which a job is due, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cadence {
    /// At every multiple of this since 1970, which all instances agree on. Under a second counts as one second.
    Every(Duration),
    /// Each month on this day at this time; in a month that is shorter, on its last day.
    Monthly {
        /// 1 to 31.
        day: u8,
        /// The time of the day.
        at: Time,
    },
}

impl Cadence {
    /// The first time after `moment`; `moment` itself if there is none, which is after the year 9999.
    pub fn after(&self, moment: OffsetDateTime) -> OffsetDateTime {
        let moment = moment.to_offset(UtcOffset::UTC);
        match *self {
            Self::Every(interval) => {
                let step = i64::try_from(interval.as_secs()).unwrap_or(i64::MAX).max(1);
                let next = moment.unix_timestamp().div_euclid(step).saturating_add(1);
                OffsetDateTime::from_unix_timestamp(next.saturating_mul(step)).unwrap_or(moment)
            }
            Self::Monthly { day, at } => {
                let this = in_month(moment.year(), moment.month(), day, at);
                let next = match moment.month() {
                    Month::December => (moment.year().saturating_add(1), Month::January),
                    month => (moment.year(), month.next()),
                };
                this.filter(|time| *time > moment)
                    .or_else(|| in_month(next.0, next.1, day, at))
                    .unwrap_or(moment)
            }
        }
    }
}

fn in_month(year: i32, month: Month, day: u8, at: Time) -> Option<OffsetDateTime> {
    let day = day.clamp(1, month.length(year));
    let date = Date::from_calendar_date(year, month, day).ok()?;
    Some(date.with_time(at).assume_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::{datetime, time};

    #[test]
    fn an_interval_is_counted_from_the_clock_and_not_from_the_last_run() {
        let every = Cadence::Every(Duration::from_mins(15));
        let next = every.after(datetime!(2026-11-20 10:07:31.5 UTC));
        assert_eq!(next, datetime!(2026-11-20 10:15 UTC));
        assert_eq!(every.after(next), datetime!(2026-11-20 10:30 UTC));
    }

    #[test]
    fn a_day_that_a_month_does_not_have_is_its_last() {
        let last = Cadence::Monthly {
            day: 31,
            at: time!(06:00),
        };
        let mut moment = datetime!(2028-01-31 06:00 UTC);
        for expected in [
            datetime!(2028-02-29 06:00 UTC),
            datetime!(2028-03-31 06:00 UTC),
            datetime!(2028-04-30 06:00 UTC),
        ] {
            moment = last.after(moment);
            assert_eq!(moment, expected);
        }
    }

    #[test]
    fn the_year_ends() {
        let first = Cadence::Monthly {
            day: 1,
            at: Time::MIDNIGHT,
        };
        let next = first.after(datetime!(2026-12-31 23:59:59 UTC));
        assert_eq!(next, datetime!(2027-01-01 00:00 UTC));
    }

    proptest! {
        #[test]
        fn the_next_time_is_later_and_no_time_is_left_out(
            seconds in 0i64..4_000_000_000, day in 0u8..40, interval in 0u64..10_000_000,
        ) {
            let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            for cadence in [
                Cadence::Every(Duration::from_secs(interval)),
                Cadence::Monthly { day, at: time!(12:34:56) },
            ] {
                let next = cadence.after(moment);
                prop_assert!(next > moment);
                // From any moment between, the same time is next.
                let between = moment + (next - moment) / 2;
                prop_assert_eq!(cadence.after(between), next);
            }
        }
    }
}
