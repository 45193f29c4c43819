//! What the object keeps of a device, and what that says about it.

use domain::reward::DeviceHistory;
use domain::{EpochMs, WalletAddress};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// After this the backend is asked again whether a device is still registered.
pub const RECHECK_DEVICE_MS: u64 = 600_000;
/// With every span of this length without a new one, half of a device's anomalies are forgotten.
pub const FORGIVE_MS: u64 = 86_400_000;
/// Credentials whose counters are kept for a device. A device has a few at most.
const MAX_CREDENTIALS: usize = 8;

/// What is kept of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceRecord {
    /// The user it is registered to.
    pub user_id: WalletAddress,
    /// When the backend last said so.
    pub confirmed_at: EpochMs,
    /// When its latest VAU was accepted.
    pub last_seen: Option<EpochMs>,
    /// VAUs accepted so far.
    pub vau_count: u32,
    /// The UTC day of [`Self::day_count`], days since the epoch.
    pub day: u64,
    /// VAUs accepted on that day.
    pub day_count: u32,
    /// Attestations that were verified.
    pub attestations: u32,
    /// The latest signature counter of each credential: a lower one is that of a copy.
    pub counters: BTreeMap<String, u32>,
    /// What it did that an honest device does not do, as of [`Self::anomalous_at`].
    pub anomalies: u32,
    /// When it last did.
    pub anomalous_at: Option<EpochMs>,
}

impl DeviceRecord {
    /// A device that has just been confirmed, with the history of `before` if there was one.
    pub fn confirmed(before: Option<Self>, user_id: WalletAddress, now: EpochMs) -> Self {
        before.map_or_else(
            || Self {
                user_id,
                confirmed_at: now,
                last_seen: None,
                vau_count: 0,
                day: now.utc_day(),
                day_count: 0,
                attestations: 0,
                counters: BTreeMap::new(),
                anomalies: 0,
                anomalous_at: None,
            },
            |known| Self {
                user_id,
                confirmed_at: now,
                ..known
            },
        )
    }

    /// Whether the backend need not be asked about it.
    pub fn is_fresh(&self, now: EpochMs) -> bool {
        now.get() < self.confirmed_at.get().saturating_add(RECHECK_DEVICE_MS)
    }

    /// What its trust is computed from.
    pub fn history(&self, now: EpochMs) -> DeviceHistory {
        DeviceHistory {
            attestations: self.attestations,
            vau_count: self.vau_count,
            since_last_ms: self
                .last_seen
                .map(|seen| now.get().saturating_sub(seen.get())),
            anomalies: self.anomalies_at(now),
        }
    }

    /// VAUs accepted on the day of `now`.
    pub fn accepted_today(&self, now: EpochMs) -> u32 {
        if self.day == now.utc_day() {
            self.day_count
        } else {
            0
        }
    }

    /// After `count` more VAUs were accepted.
    pub fn accept(&mut self, count: u32, now: EpochMs) {
        let today = self.accepted_today(now);
        self.last_seen = Some(now);
        self.vau_count = self.vau_count.saturating_add(count);
        self.day = now.utc_day();
        self.day_count = today.saturating_add(count);
    }

    /// After it did `count` things that an honest device does not do.
    pub fn note_anomalies(&mut self, count: u32, now: EpochMs) {
        if count > 0 {
            self.anomalies = self.anomalies_at(now).saturating_add(count);
            self.anomalous_at = Some(now);
        }
    }

    /// After an assertion of `credential` with the counter `count` held. `false` when the counter shows that two
    /// authenticators use one key: then it speaks against the device. Authenticators without a counter say 0.
    pub fn attest(&mut self, credential: &str, count: u32) -> bool {
        let known = self.counters.get(credential).copied();
        if count > 0 && known.is_some_and(|known| count <= known) {
            return false;
        }
        if known.is_some() || self.counters.len() < MAX_CREDENTIALS {
            self.counters.insert(credential.to_owned(), count);
        }
        self.attestations = self.attestations.saturating_add(1);
        true
    }

    fn anomalies_at(&self, now: EpochMs) -> u32 {
        let since = self.anomalous_at.map_or(0, EpochMs::get);
        let halvings = now.get().saturating_sub(since) / FORGIVE_MS;
        let halvings = u32::try_from(halvings).unwrap_or(u32::MAX);
        self.anomalies.checked_shr(halvings).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::reward::{MIN_TRUST, trust_score};

    fn at(ms: u64) -> EpochMs {
        EpochMs::new(ms).unwrap()
    }

    fn device() -> DeviceRecord {
        DeviceRecord::confirmed(None, WalletAddress::from_bytes([1; 32]), at(0))
    }

    #[test]
    fn a_device_that_cheats_falls_out_and_is_forgiven_in_time() {
        let mut device = device();
        device.accept(1, at(0));
        device.note_anomalies(6, at(0));
        let trust = |ms| trust_score(&device.history(at(ms)));
        assert!(trust(FORGIVE_MS - 1) < MIN_TRUST);
        assert!(trust(FORGIVE_MS) >= MIN_TRUST);
        assert_eq!(device.history(at(40 * FORGIVE_MS)).anomalies, 0);
        let mut again = device.clone();
        again.note_anomalies(1, at(FORGIVE_MS));
        assert_eq!(again.history(at(FORGIVE_MS)).anomalies, 4);
    }

    #[test]
    fn a_copied_authenticator_is_not_taken_for_the_first() {
        let mut device = device();
        assert!(device.attest("a", 7));
        assert!(!device.attest("a", 7));
        assert!(!device.attest("a", 6));
        assert!(device.attest("a", 8));
        assert!(device.attest("without a counter", 0));
        assert!(device.attest("without a counter", 0));
        assert_eq!(device.attestations, 4);
    }

    #[test]
    fn a_device_cannot_fill_the_storage_with_credentials() {
        let mut device = device();
        for n in 0..100 {
            device.attest(&n.to_string(), 1);
        }
        assert_eq!(device.counters.len(), MAX_CREDENTIALS);
    }

    #[test]
    fn a_new_day_starts_with_nothing_accepted() {
        let mut device = device();
        device.accept(7, at(86_400_000 - 1));
        assert_eq!(device.accepted_today(at(86_400_000 - 1)), 7);
        assert_eq!(device.accepted_today(at(86_400_000)), 0);
        device.accept(1, at(86_400_000));
        assert_eq!((device.day_count, device.vau_count), (1, 8));
    }
}
