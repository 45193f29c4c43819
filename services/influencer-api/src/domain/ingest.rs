//! What the edge says is never taken on trust: every item is read, recomputed and verified again.

use crate::domain::device::signature;
use contracts::ingest::{
    AcceptedGroup, AcceptedVau, OLDEST_SEGMENT_VERSION, QuarantineReason, SEGMENT_VERSION,
    VauSegment,
};
use domain::reward::{MIN_TRUST, reward, trust_score};
use domain::vau::batch_canonical;
use domain::{Amount, DeviceId, EpochMs, Fingerprint, ed25519};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// VAUs in one segment. A full segment of the smallest VAUs stays below this.
pub const MAX_ITEMS: usize = 1_000;
/// VAUs in one batch, refused ones included.
const MAX_BATCH: usize = 100;

/// A VAU of a segment, checked without the database.
#[derive(Debug, Clone)]
pub struct Item {
    /// The VAU, or why it is set aside.
    pub result: Result<AcceptedVau, QuarantineReason>,
    /// What is kept when it is set aside, where the VAU itself does not say it.
    pub raw: Option<Value>,
    /// The batch that was signed in its place.
    pub batch_group: Option<u32>,
}

/// A batch that its device signed as a whole; the signature holds.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Its place in the segment.
    pub group: u32,
    /// Whose.
    pub device_id: DeviceId,
    /// The client's name for it.
    pub batch_id: String,
    /// When it was sent.
    pub submitted_at: EpochMs,
    /// Over the fingerprints.
    pub signature: [u8; 64],
    /// Of all its VAUs.
    pub fingerprints: Vec<Fingerprint>,
}

/// A segment, checked without the database.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// Its VAUs, in order; the place is what quarantine names.
    pub items: Vec<Item>,
    /// The batches among them.
    pub batches: Vec<Batch>,
}

/// Why a segment is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// Of a version this build does not know.
    Version,
    /// More VAUs than a segment holds.
    TooMany,
}

/// Reads a segment and checks all that can be checked without the database: ids and fingerprints follow from the
/// fields, the devices signed them, and rewards follow from the carried histories.
///
/// A reward of zero is accepted for any score: the edge promises nothing once the day's emission is
/// used up.
pub fn check(segment: &VauSegment) -> Result<Checked, Unreadable> {
    if segment.items.len() > MAX_ITEMS {
        return Err(Unreadable::TooMany);
    }
    let mut checked = Checked::default();
    match segment.version {
        OLDEST_SEGMENT_VERSION => checked.items.extend(segment.items.iter().map(single)),
        SEGMENT_VERSION => {
            for (place, item) in (0u32..).zip(&segment.items) {
                group(place, item, &mut checked);
            }
        }
        _ => return Err(Unreadable::Version),
    }
    if checked.items.len() > MAX_ITEMS {
        return Err(Unreadable::TooMany);
    }
    Ok(checked)
}

/// A VAU as version 1 carries it.
fn single(item: &Value) -> Item {
    let result = AcceptedVau::deserialize(item)
        .map_err(|_| QuarantineReason::Unreadable)
        .and_then(|accepted| {
            let fields = accepted.vau.signed_fields();
            if fields.id() != accepted.vau_id || fields.fingerprint() != accepted.fingerprint {
                return Err(QuarantineReason::IdMismatch);
            }
            signed(&accepted)?;
            follows(&accepted)?;
            Ok(accepted)
        });
    Item {
        result,
        raw: Some(item.clone()),
        batch_group: None,
    }
}

/// A group as version 2 carries it. One that cannot be read is one item to set aside.
fn group(place: u32, item: &Value, checked: &mut Checked) {
    let unreadable = |reason| Item {
        result: Err(reason),
        raw: Some(item.clone()),
        batch_group: None,
    };
    let Ok(group) = AcceptedGroup::deserialize(item) else {
        checked.items.push(unreadable(QuarantineReason::Unreadable));
        return;
    };
    let vaus: Vec<AcceptedVau> = group.vaus().collect();
    let proof = batch(place, &group, &vaus);
    for accepted in vaus {
        let proved = match &proof {
            Some(proof) => proof.as_ref().map(|_| ()).map_err(|reason| *reason),
            None => signed(&accepted),
        };
        let result = proved.and_then(|()| follows(&accepted));
        let raw = match &result {
            Ok(()) => None,
            Err(_) => serde_json::to_value(&accepted).ok(),
        };
        checked.items.push(Item {
            result: result.map(|()| accepted),
            raw,
            batch_group: proof.is_some().then_some(place),
        });
    }
    if let Some(Ok(batch)) = proof {
        checked.batches.push(batch);
    }
}

/// The proof of a batch: none where its VAUs are signed one by one.
fn batch(
    place: u32,
    group: &AcceptedGroup,
    vaus: &[AcceptedVau],
) -> Option<Result<Batch, QuarantineReason>> {
    let signed = group.batch.as_ref()?;
    let mut prints: BTreeMap<u32, Fingerprint> = BTreeMap::new();
    let others = signed.others.iter().map(|o| (o.index, o.fingerprint));
    let own = group.items.iter().map(|item| item.index);
    let own = own.zip(vaus.iter().map(|vau| vau.fingerprint));
    let expected = signed.others.len() + vaus.len();
    prints.extend(others.chain(own));
    // Every place once, none left out: the bytes that were signed are exactly these.
    let whole = prints.len() == expected
        && expected <= MAX_BATCH
        && prints.keys().copied().eq((0u32..).take(expected));
    let fingerprints: Vec<Fingerprint> = prints.into_values().collect();
    let message = batch_canonical(&signed.batch_id, signed.submitted_at, &fingerprints);
    let holds = signature(&signed.signature).filter(|signature| {
        whole && ed25519::verify(group.device_id.as_bytes(), &message, signature).is_ok()
    });
    Some(match holds {
        Some(signature) => Ok(Batch {
            group: place,
            device_id: group.device_id,
            batch_id: signed.batch_id.clone(),
            submitted_at: signed.submitted_at,
            signature,
            fingerprints,
        }),
        None => Err(QuarantineReason::SignatureInvalid),
    })
}

fn signed(accepted: &AcceptedVau) -> Result<(), QuarantineReason> {
    let invalid = QuarantineReason::SignatureInvalid;
    let signature = signature(&accepted.vau.signature).ok_or(invalid)?;
    ed25519::verify(
        accepted.vau.device_id.as_bytes(),
        &accepted.vau.signed_fields().canonical(),
        &signature,
    )
    .map_err(|_| invalid)
}

fn follows(accepted: &AcceptedVau) -> Result<(), QuarantineReason> {
    let trust = trust_score(&accepted.device);
    let follows = trust == accepted.trust_score
        && trust >= MIN_TRUST
        && (accepted.earned == reward(trust) || accepted.earned == Amount::ZERO);
    if follows {
        Ok(())
    } else {
        Err(QuarantineReason::RewardMismatch)
    }
}
