//! What was accepted lately: recognises duplicates and conflicts, in memory, rebuilt from the journal.

use domain::{Amount, EpochMs, Fingerprint, VauId};
use std::collections::{HashMap, VecDeque};

/// How long accepted VAUs are remembered. None older than 330 s gets this far, so it only has to outlast clocks;
/// the backend remembers for ever.
pub const REMEMBER_MS: u64 = 900_000;

/// A VAU that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Of its signed bytes.
    pub fingerprint: Fingerprint,
    /// When.
    pub accepted_at: EpochMs,
    /// The device's trust then.
    pub trust_score: u8,
    /// What was promised.
    pub earned: Amount,
}

/// The VAUs of the last minutes.
#[derive(Debug, Default)]
pub struct Recent {
    /// Id to the VAU and its place in the journal.
    known: HashMap<VauId, (Known, u64)>,
    order: VecDeque<(u64, VauId)>,
}

impl Recent {
    /// The VAU accepted under `id`.
    pub fn get(&self, id: &VauId) -> Option<&Known> {
        self.known.get(id).map(|(known, _)| known)
    }

    /// The journal's entry that holds the VAU.
    pub fn place(&self, id: &VauId) -> Option<u64> {
        self.known.get(id).map(|(_, seq)| *seq)
    }

    /// Remembers a VAU of the journal's entry `seq`.
    pub fn insert(&mut self, id: VauId, known: Known, seq: u64) {
        self.order.push_back((known.accepted_at.get(), id));
        self.known.insert(id, (known, seq));
    }

    /// Forgets what was accepted before `moment`.
    pub fn forget(&mut self, moment: u64) {
        while self.order.front().is_some_and(|(at, _)| *at < moment) {
            if let Some((_, id)) = self.order.pop_front() {
                self.known.remove(&id);
            }
        }
    }

    /// VAUs that are remembered.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

/// Bytes of one VAU in [`encode`]: id, fingerprint, trust, earned.
const RECORD: usize = 16 + 32 + 1 + 8;

/// What the journal keeps of an entry's VAUs beside the entry, so that waking up does not read everything.
pub fn encode<'a>(vaus: impl Iterator<Item = (&'a VauId, &'a Known)>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (id, known) in vaus {
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(known.fingerprint.as_bytes());
        bytes.push(known.trust_score);
        bytes.extend_from_slice(&known.earned.units().to_le_bytes());
    }
    bytes
}

/// Reads back what [`encode`] wrote for an entry of `accepted_at`; nothing when it is not that.
pub fn decode(bytes: &[u8], accepted_at: EpochMs) -> Option<Vec<(VauId, Known)>> {
    if !bytes.len().is_multiple_of(RECORD) {
        return None;
    }
    bytes
        .chunks_exact(RECORD)
        .map(|record| {
            let (id, rest) = record.split_first_chunk::<16>()?;
            let (fingerprint, rest) = rest.split_first_chunk::<32>()?;
            let (trust_score, rest) = rest.split_first()?;
            let (earned, _) = rest.split_first_chunk::<8>()?;
            let known = Known {
                fingerprint: Fingerprint::from_bytes(*fingerprint),
                accepted_at,
                trust_score: *trust_score,
                earned: Amount::from_units(u64::from_le_bytes(*earned)).ok()?,
            };
            Some((VauId::from_bytes(*id), known))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn known(n: u8, at: u64) -> Known {
        Known {
            fingerprint: Fingerprint::from_bytes([n; 32]),
            accepted_at: EpochMs::new(at).unwrap(),
            trust_score: n,
            earned: Amount::from_twist(u32::from(n)),
        }
    }

    #[test]
    fn what_is_too_old_is_forgotten_and_nothing_else() {
        let mut recent = Recent::default();
        for n in 0..10 {
            recent.insert(VauId::from_bytes([n; 16]), known(n, u64::from(n)), 1);
        }
        recent.forget(4);
        assert_eq!(recent.len(), 6);
        assert!(recent.get(&VauId::from_bytes([3; 16])).is_none());
        assert_eq!(recent.get(&VauId::from_bytes([4; 16])), Some(&known(4, 4)));
    }

    proptest! {
        #[test]
        fn what_the_journal_keeps_is_read_back(ids in prop::collection::vec(any::<[u8; 16]>(), 0..40), n: u8) {
            let vaus: Vec<_> = ids.iter().map(|id| (VauId::from_bytes(*id), known(n, 7))).collect();
            let bytes = encode(vaus.iter().map(|(id, known)| (id, known)));
            prop_assert_eq!(decode(&bytes, EpochMs::new(7).unwrap()), Some(vaus));
        }

        #[test]
        fn a_damaged_journal_is_noticed_or_read_never_a_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes, EpochMs::new(7).unwrap());
        }
    }
}
