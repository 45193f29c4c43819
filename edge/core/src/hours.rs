//! What was accepted in each hour. The hour is taken from every acceptance, never from a variable that somebody
//! has to roll over.

use crate::sketch::Sketch;
use contracts::ingest::AcceptedGroup;
use domain::EpochMs;
use domain::reward::trust_score;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const HOUR_MS: u64 = 3_600_000;
/// Hours that are kept open at most; an object that slept has one old one.
const MAX_OPEN: usize = 4;

/// One hour, still open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hour {
    count: u64,
    /// Base units; as text, since it may exceed what JavaScript counts exactly.
    #[serde(with = "text")]
    earned: u64,
    trust: u64,
    users: Sketch,
    devices: Sketch,
    sites: Sketch,
}

mod text {
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
    pub(super) fn serialize<S: Serializer>(n: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(n)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The figures of an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Which, UTC: `2026-11-28-14`.
    pub hour_key: String,
    /// VAUs accepted.
    pub count: u64,
    /// What they earn, base units.
    #[serde(with = "text")]
    pub total_earned: u64,
    /// Different users, about.
    pub unique_users: u64,
    /// Different devices, about.
    pub unique_devices: u64,
    /// Different sites, about.
    pub unique_sites: u64,
    /// Mean trust score, rounded down; 0 when nothing was accepted.
    pub avg_trust_score: u64,
}

/// The hours that may still change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours(BTreeMap<u64, Hour>);

/// Hours since 1970.
pub const fn hour_of(at: EpochMs) -> u64 {
    at.get() / HOUR_MS
}

/// When an hour is over, epoch ms.
pub const fn end_of(hour: u64) -> u64 {
    hour.saturating_add(1).saturating_mul(HOUR_MS)
}

/// An hour's name.
pub fn key(hour: u64) -> String {
    let (year, month, day) = civil(hour / 24);
    format!("{year:04}-{month:02}-{day:02}-{:02}", hour % 24)
}

/// The UTC date of a day since 1970, `2026-11-28`.
pub fn date(day: u64) -> String {
    let (year, month, day) = civil(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day (Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`).
const fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

impl Hours {
    /// Takes a group in that was accepted.
    pub fn add(&mut self, group: &AcceptedGroup) {
        let hour = self.0.entry(hour_of(group.accepted_at)).or_default();
        hour.users.add(group.user_id.as_bytes());
        hour.devices.add(group.device_id.as_bytes());
        for (place, item) in (0u32..).zip(&group.items) {
            hour.count = hour.count.saturating_add(1);
            hour.earned = hour.earned.saturating_add(item.earned.units());
            let trust = trust_score(&group.device.later(place));
            hour.trust = hour.trust.saturating_add(u64::from(trust));
            hour.sites.add(item.site_id.as_str().as_bytes());
        }
    }

    /// Takes out the hours that are over at `now`, oldest first.
    pub fn close(&mut self, now: EpochMs) -> Vec<(u64, Summary)> {
        let open = self.0.split_off(&hour_of(now));
        let closed = std::mem::replace(&mut self.0, open);
        let summary = |(hour, figures): (u64, Hour)| (hour, figures.summary(hour));
        closed.into_iter().map(summary).collect()
    }

    /// The figures so far.
    pub fn summaries(&self) -> Vec<Summary> {
        let summary = |(hour, figures): (&u64, &Hour)| figures.summary(*hour);
        self.0.iter().rev().take(MAX_OPEN).map(summary).collect()
    }

    /// When the first hour with something in it is over.
    pub fn first_end(&self) -> Option<u64> {
        self.0.keys().next().map(|hour| end_of(*hour))
    }
}

impl Hour {
    fn summary(&self, hour: u64) -> Summary {
        Summary {
            hour_key: key(hour),
            count: self.count,
            total_earned: self.earned,
            unique_users: self.users.count(),
            unique_devices: self.devices.count(),
            unique_sites: self.sites.count(),
            avg_trust_score: self.trust.checked_div(self.count).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::ingest::AcceptedItem;
    use domain::reward::DeviceHistory;
    use domain::{Amount, DeviceId, SiteId, WalletAddress};

    fn group(user: u8, at: u64, items: u32) -> AcceptedGroup {
        let item = |index| AcceptedItem {
            index,
            site_id: SiteId::try_from("site").unwrap(),
            timestamp: EpochMs::new(at).unwrap(),
            payload: String::new(),
            attestation: None,
            signature: None,
            earned: Amount::from_twist(5),
        };
        AcceptedGroup {
            user_id: WalletAddress::from_bytes([user; 32]),
            device_id: DeviceId::from_bytes([user; 32]),
            accepted_at: EpochMs::new(at).unwrap(),
            device: DeviceHistory {
                attestations: 0,
                vau_count: 0,
                since_last_ms: Some(0),
                anomalies: 0,
            },
            batch: None,
            items: (0..items).map(item).collect(),
        }
    }

    #[test]
    fn a_new_hour_does_not_inherit_the_last_ones_figures() {
        let mut hours = Hours::default();
        hours.add(&group(1, HOUR_MS - 1, 3));
        hours.add(&group(2, HOUR_MS - 1, 1));
        hours.add(&group(1, HOUR_MS, 2));
        let closed = hours.close(EpochMs::new(HOUR_MS).unwrap());
        let [(0, first)] = closed.as_slice() else {
            panic!("{closed:?}")
        };
        assert_eq!(
            (first.count, first.unique_users, first.unique_sites),
            (4, 2, 1)
        );
        assert_eq!(
            (first.total_earned, first.avg_trust_score),
            (20_000_000_000, 60)
        );
        assert_eq!(first.hour_key, "1970-01-01-00");
        let open = hours.summaries();
        assert_eq!((open[0].count, open[0].unique_users), (2, 1));
        assert!(hours.close(EpochMs::new(HOUR_MS).unwrap()).is_empty());
    }

    #[test]
    fn an_hours_name_is_right_in_leap_years_and_at_their_ends() {
        for (ms, name) in [
            (1_767_225_600_000, "2026-01-01-00"),
            (1_709_164_800_000 + 23 * HOUR_MS, "2024-02-29-23"),
            (951_782_400_000, "2000-02-29-00"),
            (4_107_542_400_000, "2100-03-01-00"),
            (1_735_689_599_999, "2024-12-31-23"),
        ] {
            assert_eq!(key(ms / HOUR_MS), name);
        }
    }

    #[test]
    fn figures_survive_their_text_form() {
        let mut hours = Hours::default();
        hours.add(&group(1, 5 * HOUR_MS, 3));
        let text = serde_json::to_string(&hours).unwrap();
        assert_eq!(serde_json::from_str::<Hours>(&text).unwrap(), hours);
    }
}
