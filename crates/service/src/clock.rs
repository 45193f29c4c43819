//! The server's clock, in the forms the wire uses.

use domain::EpochMs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Now, in milliseconds since 1970.
pub fn now_ms() -> EpochMs {
    let ms = u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX);
    EpochMs::new(ms).unwrap_or(EpochMs::MAX)
}

/// Now, in whole seconds since 1970.
pub fn now_seconds() -> u64 {
    since_epoch().as_secs()
}

/// A moment as RFC 3339 text in UTC, as precise as the value.
pub fn rfc3339(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC)
        .format(&Rfc3339)
        .unwrap_or_default()
}

/// Now, as RFC 3339 text with whole seconds.
pub fn now_rfc3339() -> String {
    let now = OffsetDateTime::now_utc();
    rfc3339(now.replace_nanosecond(0).unwrap_or(now))
}

fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
