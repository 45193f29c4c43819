//! What a VAU earns. One function, used at the edge when it accepts and by the backend when it checks.
//!
//! A change to [`trust_score`] or [`reward`] is a new version of the segment in `contracts::ingest`: the
//! backend recomputes what the edge promised, and must do so by the rule of the build that promised it.

use crate::money::Amount;

/// What may be credited to all users together in one UTC day: 10,000,000 TWIST.
pub const DAILY_EMISSION_CAP: Amount = Amount::from_twist(10_000_000);

/// A VAU of a device below this score is refused.
pub const MIN_TRUST: u8 = 20;

const DAY_MS: u64 = 86_400_000;

/// What is known of a device at the moment one of its VAUs is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct DeviceHistory {
    /// Attestations of the device that were verified.
    pub attestations: u32,
    /// VAUs of the device accepted before this one.
    pub vau_count: u32,
    /// Milliseconds since the one before this; `None` for the first.
    pub since_last_ms: Option<u64>,
    /// What the device did lately that an honest one does not do.
    #[cfg_attr(feature = "serde", serde(default))]
    pub anomalies: u32,
}

impl DeviceHistory {
    /// The history at the VAU that comes `place` places later in the same request.
    #[must_use]
    pub const fn later(self, place: u32) -> Self {
        if place == 0 {
            return self;
        }
        Self {
            vau_count: self.vau_count.saturating_add(place),
            since_last_ms: Some(0),
            ..self
        }
    }
}

/// Trust in a device, 0 to 100.
///
/// `50 + min(30, 10 × attestations) + recency + min(10, ⌊vauCount / 10⌋) − 10 × anomalies`, from 0 to 100, where
/// recency is 10 when the device was seen within a day, 5 within a week. A device that was never seen
/// starts from 50.
pub fn trust_score(device: &DeviceHistory) -> u8 {
    let lost = device.anomalies.saturating_mul(10);
    let Some(since_last_ms) = device.since_last_ms else {
        return u8::try_from(50u32.saturating_sub(lost)).unwrap_or(0);
    };
    let recency = match since_last_ms {
        ms if ms < DAY_MS => 10,
        ms if ms < 7 * DAY_MS => 5,
        _ => 0,
    };
    let attested = device.attestations.saturating_mul(10).min(30);
    let active = (device.vau_count / 10).min(10);
    let score = (50 + attested + recency + active).min(100);
    u8::try_from(score.saturating_sub(lost)).unwrap_or(0)
}

/// The reward of one VAU: `⌊10 × trust / 100⌋` TWIST, in base units. Scores above 100 count as 100.
pub fn reward(trust: u8) -> Amount {
    let twist = 10 * u32::from(trust.min(100)) / 100;
    Amount::from_twist(twist)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn seen(since_last_ms: u64, vau_count: u32, attestations: u32) -> DeviceHistory {
        DeviceHistory {
            attestations,
            vau_count,
            since_last_ms: Some(since_last_ms),
            anomalies: 0,
        }
    }

    #[test]
    fn the_first_vau_of_a_device_earns_five_twist() {
        let new = DeviceHistory {
            attestations: 0,
            vau_count: 0,
            since_last_ms: None,
            anomalies: 0,
        };
        assert_eq!(trust_score(&new), 50);
        assert_eq!(reward(50), Amount::from_twist(5));
    }

    /// When one of these figures changes, so must `SEGMENT_VERSION`.
    #[test]
    fn what_version_one_promises_stays_what_it_pays() {
        let scores = [
            seen(0, 0, 0),
            seen(0, 57, 1),
            seen(DAY_MS, 20, 2),
            seen(u64::MAX, 999, 9),
        ];
        assert_eq!(scores.map(|device| trust_score(&device)), [60, 75, 77, 90]);
        let twist =
            [0u8, 49, 50, 60, 75, 99, 100].map(|trust| reward(trust).units() / 1_000_000_000);
        assert_eq!(twist, [0, 4, 5, 6, 7, 9, 10]);
    }

    #[test]
    fn the_score_follows_the_formula_at_its_edges() {
        assert_eq!(trust_score(&seen(DAY_MS - 1, 0, 0)), 60);
        assert_eq!(trust_score(&seen(DAY_MS, 0, 0)), 55);
        assert_eq!(trust_score(&seen(7 * DAY_MS, 9, 0)), 50);
        assert_eq!(trust_score(&seen(0, 100, 3)), 100);
        assert_eq!(trust_score(&seen(0, u32::MAX, u32::MAX)), 100);
    }

    #[test]
    fn a_device_that_misbehaves_falls_below_the_least_trust() {
        let seen = |anomalies| DeviceHistory {
            anomalies,
            ..seen(0, 1_000, 3)
        };
        assert_eq!(
            [0, 1, 8, 9, 99].map(|n| trust_score(&seen(n))),
            [100, 90, 20, 10, 0]
        );
        let new = DeviceHistory {
            since_last_ms: None,
            ..seen(4)
        };
        assert!(trust_score(&new) < MIN_TRUST);
    }

    proptest! {
        #[test]
        fn no_device_history_earns_more_than_ten_twist(
            attestations: u32, vau_count: u32, since: Option<u64>, anomalies: u32, place: u32,
        ) {
            let device = DeviceHistory { attestations, vau_count, since_last_ms: since, anomalies };
            let score = trust_score(&device.later(place));
            prop_assert!(reward(score) <= Amount::from_twist(10));
            prop_assert!(anomalies > 0 || score >= 50);
            let worse = DeviceHistory { anomalies: anomalies.saturating_add(1), ..device };
            prop_assert!(trust_score(&worse) <= trust_score(&device));
        }
    }
}
