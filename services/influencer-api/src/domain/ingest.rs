//! What the edge says is never taken on trust: every item is read, recomputed and verified again.

use crate::domain::device::signature;
use contracts::ingest::{AcceptedVau, QuarantineReason};
use domain::reward::{MIN_TRUST, reward, trust_score};
use domain::{Amount, ed25519};

/// Items in one segment. A full segment of the smallest VAUs stays below this.
pub const MAX_ITEMS: usize = 1_000;

/// Reads one item and checks all that can be checked without the database: its id and fingerprint
/// follow from its fields, its device signed them, and its reward follows from the carried history.
///
/// A reward of zero is accepted for any score: the edge promises nothing once the day's emission is
/// used up.
pub fn check(item: &serde_json::Value) -> Result<AcceptedVau, QuarantineReason> {
    use serde::Deserialize;
    let accepted = AcceptedVau::deserialize(item).map_err(|_| QuarantineReason::Unreadable)?;
    let fields = accepted.vau.signed_fields();
    if fields.id() != accepted.vau_id || fields.fingerprint() != accepted.fingerprint {
        return Err(QuarantineReason::IdMismatch);
    }
    let signature = signature(&accepted.vau.signature).ok_or(QuarantineReason::SignatureInvalid)?;
    ed25519::verify(
        accepted.vau.device_id.as_bytes(),
        &fields.canonical(),
        &signature,
    )
    .map_err(|_| QuarantineReason::SignatureInvalid)?;
    let trust = trust_score(&accepted.device);
    let follows = trust == accepted.trust_score
        && trust >= MIN_TRUST
        && (accepted.earned == reward(trust) || accepted.earned == Amount::ZERO);
    if follows {
        Ok(accepted)
    } else {
        Err(QuarantineReason::RewardMismatch)
    }
}
