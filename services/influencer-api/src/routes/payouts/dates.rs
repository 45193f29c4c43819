//! Lengths of time as clients give them.

use crate::store::payouts::Span;
use service::ApiError;
use time::format_description::well_known::Rfc3339;
use time::macros::{datetime, format_description};
use time::{Date, Duration, OffsetDateTime, UtcOffset};

/// The first moment that can be asked about.
const FIRST: OffsetDateTime = datetime!(1970-01-01 0:00 UTC);
/// The first that cannot.
const END: OffsetDateTime = datetime!(9999-01-01 0:00 UTC);

/// From `start` on and before `end`.
pub(super) fn span(start: &str, end: &str) -> Result<Span, ApiError> {
    let span = Span {
        from: from(start)?,
        before: before(end)?,
    };
    if span.from < span.before {
        Ok(span)
    } else {
        Err(ApiError::invalid("/endDate", "must be after startDate"))
    }
}

/// A moment, or the start of a UTC day.
pub(super) fn from(text: &str) -> Result<OffsetDateTime, ApiError> {
    moment(text, "/startDate", Duration::ZERO)
}

/// A moment, or the end of a UTC day.
pub(super) fn before(text: &str) -> Result<OffsetDateTime, ApiError> {
    moment(text, "/endDate", Duration::DAY)
}

fn moment(text: &str, pointer: &str, rest_of_day: Duration) -> Result<OffsetDateTime, ApiError> {
    let day = Date::parse(text, format_description!("[year]-[month]-[day]"));
    let at = match day {
        Ok(day) => day.midnight().assume_utc().checked_add(rest_of_day),
        Err(_) => OffsetDateTime::parse(text, &Rfc3339)
            .ok()
            .and_then(|at| at.checked_to_offset(UtcOffset::UTC)),
    };
    at.filter(|at| (FIRST..END).contains(at)).ok_or_else(|| {
        ApiError::invalid(
            pointer,
            "must be a day like 2026-11-28 or a moment of RFC 3339, from 1970 to 9998",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_whole_and_a_moment_is_itself() {
        let whole = span("2028-02-29", "2028-02-29").unwrap();
        assert_eq!(whole.from, datetime!(2028-02-29 0:00 UTC));
        assert_eq!(whole.before, datetime!(2028-03-01 0:00 UTC));
        let part = span("2026-11-28T01:00:00+01:00", "2026-11-28T00:00:00.5Z").unwrap();
        assert_eq!(part.before - part.from, Duration::milliseconds(500));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "2026",
            "2026-02-30",
            "2026-13-01",
            "1969-12-31",
            "9999-12-31",
            "+12026-01-01",
            "2026-11-28 00:00:00",
            "2026-11-28T25:00:00Z",
            "0000-01-01T00:00:00+23:59",
            "now",
        ] {
            assert!(from(bad).is_err(), "{bad}");
        }
        assert!(span("2026-11-29", "2026-11-28").is_err());
        assert!(span("2026-11-28T00:00:00Z", "2026-11-28T00:00:00Z").is_err());
    }
}
