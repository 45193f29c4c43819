//! Moments on the wire: whole milliseconds since 1970-01-01T00:00:00Z.

use core::fmt;

/// Milliseconds since the Unix epoch, `0 ..= 2^53 - 1` (what JSON can carry exactly).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EpochMs(u64);

/// A number that is not a moment JSON can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not whole milliseconds since 1970 below 2^53")]
pub struct TimeError;

impl EpochMs {
    /// The first moment.
    pub const ZERO: Self = Self(0);

    /// The last moment that can be written.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// `ms` milliseconds after the epoch.
    pub const fn new(ms: u64) -> Result<Self, TimeError> {
        if ms > Self::MAX.0 {
            Err(TimeError)
        } else {
            Ok(Self(ms))
        }
    }

    /// Milliseconds after the epoch.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The UTC day this moment lies in, as days since the epoch.
    pub const fn utc_day(self) -> u64 {
        self.0 / 86_400_000
    }

    /// How this moment lies to `now` under a window of `past_ms` back and `future_ms` ahead, both
    /// ends included.
    pub const fn within(self, now: Self, past_ms: u64, future_ms: u64) -> Window {
        if self.0 > now.0.saturating_add(future_ms) {
            Window::Future
        } else if self.0.saturating_add(past_ms) < now.0 {
            Window::Past
        } else {
            Window::Inside
        }
    }
}

/// Where a moment lies in relation to an accepted window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Accepted.
    Inside,
    /// Too old.
    Past,
    /// Too far ahead of our clock.
    Future,
}

impl TryFrom<u64> for EpochMs {
    type Error = TimeError;

    fn try_from(ms: u64) -> Result<Self, TimeError> {
        Self::new(ms)
    }
}

impl fmt::Display for EpochMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for EpochMs {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for EpochMs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ms = <u64 as serde::Deserialize>::deserialize(deserializer)?;
        Self::new(ms).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for EpochMs {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EpochMs".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "integer",
            "minimum": 0,
            "maximum": Self::MAX.0,
            "examples": [1_767_225_600_000_u64],
            "description": "Milliseconds since 1970-01-01T00:00:00Z."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_exactly_where_it_says() {
        let now = EpochMs::new(1_000_000).unwrap();
        let at = |ms| EpochMs::new(ms).unwrap().within(now, 30_000, 5_000);
        assert_eq!(at(970_000), Window::Inside);
        assert_eq!(at(969_999), Window::Past);
        assert_eq!(at(1_005_000), Window::Inside);
        assert_eq!(at(1_005_001), Window::Future);
        assert_eq!(EpochMs::MAX.within(now, 0, 0), Window::Future);
    }

    #[test]
    fn a_number_json_cannot_carry_is_not_a_moment() {
        assert!(EpochMs::new(1 << 53).is_err());
    }
}
