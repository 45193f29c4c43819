//! UTC days as text.

use domain::EpochMs;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A day since 1970, written `yyyy-mm-dd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(u64);

/// A text that names no day from 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a day: yyyy-mm-dd is expected")]
pub struct DayError;

/// The days before 9999 ends.
const END: u64 = 2_932_897;

impl Day {
    /// The day in which a moment lies.
    pub fn of(moment: EpochMs) -> Self {
        Self::new(moment.utc_day())
    }

    /// Days after 1970-01-01; the last day that can be written, if there are more.
    pub const fn new(days: u64) -> Self {
        Self(if days < END { days } else { END - 1 })
    }

    /// Days after 1970-01-01.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Year, month, day: the proleptic Gregorian calendar, in eras of 400 years from a 1st of March.
    const fn civil(self) -> (u64, u64, u64) {
        let from_march = self.0 + 719_468;
        let (era, of_era) = (from_march / 146_097, from_march % 146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
        (year, month, day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let mut parts = text.splitn(3, '-').map(str::parse::<u64>);
        let mut part = || parts.next().and_then(Result::ok).ok_or(DayError);
        let (year, month, day) = (part()?, part()?, part()?);
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || day > 31 {
            return Err(DayError);
        }
        // A first guess that is never too late; no year or month is more than a few days off.
        let guess = (year - 1970) * 365 + (month - 1) * 28;
        let last = guess + 31 + (year - 1970) / 4 + 1 + 35;
        (guess..=last)
            .map(Self::new)
            .find(|found| found.civil() == (year, month, day) && found.to_string() == text)
            .ok_or(DayError)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (days, text) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_785, "2026-11-28"),
            (END - 1, "9999-12-31"),
        ] {
            assert_eq!(Day::new(days).to_string(), text);
            assert_eq!(text.parse(), Ok(Day::new(days)));
        }
        for bad in [
            "",
            "1969-12-31",
            "2026-02-29",
            "2026-2-01",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "a-b-c",
            "+2026-01-01",
        ] {
            assert_eq!(bad.parse::<Day>(), Err(DayError), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_day_reads_back_and_the_next_sorts_after_it(days in 0..END - 1) {
            let (day, next) = (Day::new(days), Day::new(days + 1));
            prop_assert_eq!(day.to_string().parse(), Ok(day));
            prop_assert!(day.to_string() < next.to_string());
        }
    }
}
