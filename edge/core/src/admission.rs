//! Whether a VAU is accepted and what it earns: one pure decision over what the object knows.
//!
//! Order: known device → seen before → the device's day → trust → the day's emission. A VAU that was seen
//! before is recognised ahead of the daily limit, so that a client that lost the answer to its last VAU of
//! the day still gets it.

use contracts::ingest::AcceptedVau;
use contracts::vau::{VauAccepted, VauSubmission};
use domain::reward::{DeviceHistory, MIN_TRUST, reward, trust_score};
use domain::vau::MAX_PER_DEVICE_PER_DAY;
use domain::{Amount, EpochMs, Fingerprint, WalletAddress};
use serde::{Deserialize, Serialize};

/// After this the backend is asked again whether a device is still registered.
pub const RECHECK_DEVICE_MS: u64 = 600_000;

/// How long accepted VAUs are remembered. A VAU is stale after 30 s, so this only has to outlast clocks;
/// the backend remembers for ever.
pub const REMEMBER_MS: u64 = 25 * 3_600_000;

const DAY_MS: u64 = 86_400_000;

/// What the Worker learned about the device before asking (again).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lookup {
    /// Nothing: the backend was not asked yet.
    NotAsked,
    /// The backend says it is registered to the VAU's user.
    Registered,
    /// The backend could not be asked.
    Unavailable,
}

/// What is kept of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

impl DeviceRecord {
    /// A device that has just been confirmed, with the history of `before` if there was one.
    pub fn confirmed(before: Option<Self>, user_id: WalletAddress, now: EpochMs) -> Self {
        let fresh = Self {
            user_id,
            confirmed_at: now,
            last_seen: None,
            vau_count: 0,
            day: now.utc_day(),
            day_count: 0,
        };
        before.map_or(fresh, |known| Self {
            user_id,
            confirmed_at: now,
            ..known
        })
    }

    fn history(&self, now: EpochMs) -> DeviceHistory {
        DeviceHistory {
            attestations: 0,
            vau_count: self.vau_count,
            since_last_ms: self
                .last_seen
                .map(|seen| now.get().saturating_sub(seen.get())),
        }
    }

    fn accepted_today(&self, now: EpochMs) -> u32 {
        if self.day == now.utc_day() {
            self.day_count
        } else {
            0
        }
    }

    fn after_one_more(&self, now: EpochMs) -> Self {
        Self {
            last_seen: Some(now),
            vau_count: self.vau_count.saturating_add(1),
            day: now.utc_day(),
            day_count: self.accepted_today(now).saturating_add(1),
            ..*self
        }
    }
}

/// A VAU with the same id that was accepted before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Of its signed bytes.
    pub fingerprint: Fingerprint,
    /// What its sender was answered.
    pub receipt: VauAccepted,
}

/// What the object knows when a VAU arrives.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The object's clock.
    pub now: EpochMs,
    /// The device, if it was ever confirmed.
    pub device: Option<&'a DeviceRecord>,
    /// What the Worker learned about it.
    pub lookup: Lookup,
    /// The VAU accepted under the same id.
    pub earlier: Option<&'a Earlier>,
    /// What was promised on this UTC day so far.
    pub promised_today: Amount,
    /// What may be promised in a day.
    pub emission_cap: Amount,
}

/// The decision, with everything that has to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Accepted: write all three.
    Accepted {
        /// Goes to the backend.
        item: Box<AcceptedVau>,
        /// The device from now on.
        device: DeviceRecord,
        /// The day's promises from now on.
        promised_today: Amount,
    },
    /// The same VAU was accepted before.
    Duplicate(VauAccepted),
    /// Another VAU was accepted under this id; this one goes to the backend to be set aside.
    Conflicting(Box<AcceptedVau>),
    /// Ask the backend about the device.
    DeviceUnknown,
    /// The backend could not be asked, and nothing is known of the device.
    DeviceUnavailable,
    /// The device's day is full.
    DeviceCap {
        /// Milliseconds until the next UTC day.
        wait_ms: u64,
    },
    /// The device is not trusted enough.
    LowTrust,
}

/// Decides about `vau`.
pub fn admit(vau: VauSubmission, facts: &Facts<'_>) -> Admission {
    let now = facts.now;
    let device = match known_device(&vau, facts) {
        Ok(device) => device,
        Err(refused) => return refused,
    };
    let history = device.history(now);
    let trust_score = trust_score(&history);
    let item = |vau: VauSubmission, earned| {
        let signed = vau.signed_fields();
        Box::new(AcceptedVau {
            vau_id: signed.id(),
            fingerprint: signed.fingerprint(),
            vau,
            accepted_at: now,
            device: history,
            trust_score,
            earned,
        })
    };
    if let Some(earlier) = facts.earlier {
        return if earlier.fingerprint == vau.signed_fields().fingerprint() {
            Admission::Duplicate(earlier.receipt.clone())
        } else {
            Admission::Conflicting(item(vau, Amount::ZERO))
        };
    }
    if device.accepted_today(now) >= MAX_PER_DEVICE_PER_DAY {
        return Admission::DeviceCap {
            wait_ms: DAY_MS - now.get() % DAY_MS,
        };
    }
    if trust_score < MIN_TRUST {
        return Admission::LowTrust;
    }
    let (earned, promised_today) = promise(reward(trust_score), facts);
    Admission::Accepted {
        item: item(vau, earned),
        device: device.after_one_more(now),
        promised_today,
    }
}

fn known_device(vau: &VauSubmission, facts: &Facts<'_>) -> Result<DeviceRecord, Admission> {
    let record = facts.device.filter(|d| d.user_id == vau.user_id);
    match (facts.lookup, record) {
        (Lookup::Registered, _) => Ok(DeviceRecord::confirmed(
            facts.device.copied(),
            vau.user_id,
            facts.now,
        )),
        // A device that was good ten minutes ago keeps working while the backend is away.
        (Lookup::Unavailable, Some(record)) => Ok(*record),
        (Lookup::Unavailable, None) => Err(Admission::DeviceUnavailable),
        (Lookup::NotAsked, Some(record))
            if facts.now.get() < record.confirmed_at.get() + RECHECK_DEVICE_MS =>
        {
            Ok(*record)
        }
        (Lookup::NotAsked, _) => Err(Admission::DeviceUnknown),
    }
}

/// The reward in full when the day's emission still holds it, else nothing.
fn promise(reward: Amount, facts: &Facts<'_>) -> (Amount, Amount) {
    match facts.promised_today.checked_add(reward) {
        Ok(sum) if sum <= facts.emission_cap => (reward, sum),
        Ok(_) | Err(_) => (Amount::ZERO, facts.promised_today),
    }
}

/// What the sender of an accepted VAU is answered.
pub fn receipt(item: &AcceptedVau) -> VauAccepted {
    VauAccepted {
        vau_id: item.vau_id,
        earned: item.earned,
        trust_score: item.trust_score,
        timestamp: item.accepted_at,
    }
}

#[cfg(test)]
#[path = "admission_tests.rs"]
mod tests;
