//! What a call was told of its limit.

use crate::clock;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use std::time::Duration;
use time::OffsetDateTime;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
const X_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const X_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const X_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// What a call was told of its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub(super) policy: HeaderValue,
    /// Calls in a period.
    pub limit: u32,
    /// Calls that may follow at once.
    pub remaining: u32,
    /// Until the whole limit is there again.
    pub reset: Duration,
}

impl Decision {
    /// Sets `RateLimit-*`, and `X-RateLimit-*` as older clients read them.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let seconds = u64::try_from(self.reset.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX);
        let limit = HeaderValue::from(self.limit);
        let remaining = HeaderValue::from(self.remaining);
        // Once, for these and for what every answer has.
        headers.reserve(12);
        headers.insert(POLICY, self.policy.clone());
        headers.insert(LIMIT, limit.clone());
        headers.insert(REMAINING, remaining.clone());
        headers.insert(RESET, HeaderValue::from(seconds));
        headers.insert(X_LIMIT, limit);
        headers.insert(X_REMAINING, remaining);
        let at = OffsetDateTime::now_utc().saturating_add(time::Duration::seconds(
            i64::try_from(seconds).unwrap_or(i64::MAX),
        ));
        let at = at.replace_nanosecond(0).unwrap_or(at);
        if let Ok(at) = HeaderValue::from_maybe_shared(clock::rfc3339(at).into_bytes()) {
            headers.insert(X_RESET, at);
        }
    }
}
