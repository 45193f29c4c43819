//! Which VAUs of a request are accepted and what they earn: one pure decision over what the object knows.
//!
//! Order: known device → seen before → the device's day → trust → the day's emission. A VAU that was seen
//! before is recognised ahead of the daily limit, so that a client that lost the answer to its last VAU of
//! the day still gets it.

use crate::device::DeviceRecord;
use crate::recent::Known;
use crate::shard::{Candidate, Group, Lookup, Outcome, Verdict};
use contracts::ingest::{AcceptedGroup, AcceptedItem, OtherItem, SignedBatch};
use contracts::vau::{VauAccepted, VauSubmission};
use domain::reward::{DeviceHistory, MIN_TRUST, reward, trust_score};
use domain::vau::MAX_PER_DEVICE_PER_DAY;
use domain::{Amount, EpochMs, Fingerprint, VauId, WalletAddress};
use std::collections::BTreeMap;

const DAY_MS: u64 = 86_400_000;

/// What the object knows when a request arrives.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// The object's clock.
    pub now: EpochMs,
    /// What may be promised in a day.
    pub emission_cap: Amount,
}

/// What one device's part of a request leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// What became of each item, by its place in the request.
    pub outcomes: Vec<(u32, Outcome)>,
    /// What was accepted: goes to the backend.
    pub accepted: Option<AcceptedGroup>,
    /// VAUs that contradict an accepted one; go to the backend to be set aside.
    pub conflicts: Vec<Conflict>,
    /// The device from now on, when something about it has changed.
    pub device: Option<DeviceRecord>,
    /// The day's promises from now on.
    pub promised: Amount,
}

/// A VAU under an id that another one has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The id.
    pub vau_id: VauId,
    /// The VAU.
    pub group: AcceptedGroup,
}

/// Whether a device may hand in VAUs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Confirmed(DeviceRecord),
    /// Ask the backend.
    Unknown,
    /// The backend could not be asked, and nothing is known of it.
    Unavailable,
}

/// Whether `group`'s device may hand in VAUs for `user`, by what is kept of it and what the Worker learned.
pub fn standing(
    user: &WalletAddress,
    kept: Option<DeviceRecord>,
    lookup: Lookup,
    now: EpochMs,
) -> Standing {
    if lookup == Lookup::Registered {
        return Standing::Confirmed(DeviceRecord::confirmed(kept, *user, now));
    }
    match (lookup, kept.filter(|d| d.user_id == *user)) {
        // A device that was good ten minutes ago keeps working while the backend is away.
        (Lookup::Unavailable, Some(record)) => Standing::Confirmed(record),
        (Lookup::Unavailable, None) => Standing::Unavailable,
        (_, Some(record)) if record.is_fresh(now) => Standing::Confirmed(record),
        (_, _) => Standing::Unknown,
    }
}

/// Decides about the items of `group`, whose device is `device`. `known` finds what was accepted lately.
pub fn admit(
    user: &WalletAddress,
    group: Group,
    device: DeviceRecord,
    facts: Facts,
    promised: Amount,
    known: impl Fn(&VauId) -> Option<Known>,
) -> Admission {
    let confirmed_now = group.lookup == Lookup::Registered;
    let mut taking = Taking::new(*user, &group, device, facts, promised);
    let mut others = group.others;
    for item in group.items {
        let vau = item.submission(*user, group.device_id);
        let signed = vau.signed_fields();
        let (id, fingerprint) = (signed.id(), signed.fingerprint());
        let earlier = taking.taken.get(&id).cloned().or_else(|| known(&id));
        let index = item.index;
        let outcome = match earlier {
            Some(earlier) if earlier.fingerprint == fingerprint => {
                Outcome::Duplicate(earlier.receipt(id))
            }
            Some(_) => taking.conflict(id, &item, &vau, group.signed.as_ref()),
            None => taking.take(id, fingerprint, &item),
        };
        if !matches!(outcome, Outcome::Accepted(_)) {
            others.push(OtherItem { index, fingerprint });
        }
        taking.outcomes.push((index, outcome));
    }
    taking.finish(group.signed, others, confirmed_now)
}

/// A decision in the making.
struct Taking {
    facts: Facts,
    promised: Amount,
    device: DeviceRecord,
    history: DeviceHistory,
    anomalies: u32,
    attested: bool,
    group: AcceptedGroup,
    taken: BTreeMap<VauId, Known>,
    outcomes: Vec<(u32, Outcome)>,
    conflicts: Vec<Conflict>,
}

impl Taking {
    fn new(
        user_id: WalletAddress,
        group: &Group,
        device: DeviceRecord,
        facts: Facts,
        promised: Amount,
    ) -> Self {
        let history = device.history(facts.now);
        Self {
            facts,
            promised,
            history,
            device,
            anomalies: 0,
            attested: false,
            group: AcceptedGroup {
                user_id,
                device_id: group.device_id,
                accepted_at: facts.now,
                device: history,
                batch: None,
                items: Vec::new(),
            },
            taken: BTreeMap::new(),
            outcomes: Vec::new(),
            conflicts: Vec::new(),
        }
    }

    fn take(&mut self, id: VauId, fingerprint: Fingerprint, item: &Candidate) -> Outcome {
        let place = u32::try_from(self.group.items.len()).unwrap_or(u32::MAX);
        let today = self.device.accepted_today(self.facts.now);
        if today.saturating_add(place) >= MAX_PER_DEVICE_PER_DAY {
            return Outcome::DeviceCap(DAY_MS - self.facts.now.get() % DAY_MS);
        }
        let trust_score = trust_score(&self.history.later(place));
        if trust_score < MIN_TRUST {
            return Outcome::LowTrust;
        }
        if self.is_elsewhere(item) {
            self.anomalies = self.anomalies.saturating_add(1);
        }
        self.weigh(&item.verdict);
        let earned = self.promise(reward(trust_score));
        let known = Known {
            fingerprint,
            accepted_at: self.facts.now,
            trust_score,
            earned,
        };
        let receipt = known.receipt(id);
        self.taken.insert(id, known);
        self.group.items.push(item.accepted(earned));
        Outcome::Accepted(receipt)
    }

    /// Nobody gives attention in two places at one moment.
    fn is_elsewhere(&self, item: &Candidate) -> bool {
        self.group
            .items
            .iter()
            .any(|other| other.timestamp == item.timestamp && other.site_id != item.site_id)
    }

    /// What an attestation says about the device, for the VAUs after this request.
    fn weigh(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::None => {}
            Verdict::Invalid => self.anomalies = self.anomalies.saturating_add(1),
            Verdict::Verified {
                credential_id,
                sign_count,
            } => {
                self.attested = true;
                if !self.device.attest(credential_id, *sign_count) {
                    self.anomalies = self.anomalies.saturating_add(1);
                }
            }
        }
    }

    /// The reward in full when the day's emission still holds it, else nothing.
    fn promise(&mut self, reward: Amount) -> Amount {
        match self.promised.checked_add(reward) {
            Ok(sum) if sum <= self.facts.emission_cap => {
                self.promised = sum;
                reward
            }
            Ok(_) | Err(_) => Amount::ZERO,
        }
    }

    fn conflict(
        &mut self,
        vau_id: VauId,
        item: &Candidate,
        vau: &VauSubmission,
        signed: Option<&SignedBatch>,
    ) -> Outcome {
        self.anomalies = self.anomalies.saturating_add(1);
        // A batch's signature cannot be checked over one of its items alone, and the backend sets the VAU aside
        // whatever it says: it travels with what it was signed with.
        let signature = signed.map(|batch| batch.signature.clone());
        self.conflicts.push(Conflict {
            vau_id,
            group: AcceptedGroup {
                batch: None,
                items: vec![AcceptedItem {
                    signature: item.signature.clone().or(signature),
                    ..item.accepted(Amount::ZERO)
                }],
                user_id: vau.user_id,
                ..self.group.clone()
            },
        });
        Outcome::Conflicting
    }

    fn finish(
        mut self,
        signed: Option<SignedBatch>,
        others: Vec<OtherItem>,
        confirmed_now: bool,
    ) -> Admission {
        let count = u32::try_from(self.group.items.len()).unwrap_or(u32::MAX);
        if count > 0 {
            self.device.accept(count, self.facts.now);
        }
        self.device.note_anomalies(self.anomalies, self.facts.now);
        self.group.batch = signed.map(|batch| SignedBatch { others, ..batch });
        let changed = count > 0 || self.anomalies > 0 || self.attested || confirmed_now;
        Admission {
            outcomes: self.outcomes,
            accepted: (count > 0).then_some(self.group),
            conflicts: self.conflicts,
            device: changed.then_some(self.device),
            promised: self.promised,
        }
    }
}

/// The answer of a VAU that was accepted as `known`.
impl Known {
    /// What its sender is answered.
    pub const fn receipt(&self, vau_id: VauId) -> VauAccepted {
        VauAccepted {
            vau_id,
            earned: self.earned,
            trust_score: self.trust_score,
            timestamp: self.accepted_at,
        }
    }
}

#[cfg(test)]
#[path = "admission_tests.rs"]
mod tests;
