//! From the edge to the backend: segments of accepted VAUs.

use crate::vau::VauSubmission;
use domain::reward::DeviceHistory;
use domain::{Amount, EpochMs, Fingerprint, VauId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The version of [`VauSegment`] this build writes. It is also that of the reward rule: a backend that does not
/// know a version refuses the segment, which the edge then keeps, instead of judging it by another rule.
pub const SEGMENT_VERSION: u8 = 1;

/// `POST /internal/v1/vau-batches`, and the queue message that leads to it: VAUs that one edge
/// object has accepted. Sent again until it is acknowledged; the backend counts each VAU once.
///
/// Unknown fields are let through, so that a newer edge does not block an older backend.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VauSegment {
    /// [`SEGMENT_VERSION`].
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1)))]
    pub version: u8,
    /// Names the segment; the same on every delivery.
    pub segment_id: Uuid,
    /// The edge object that accepted these VAUs.
    pub shard: String,
    /// The VAUs, in the order they were accepted. Each is read on its own, so that one that cannot be
    /// read does not hold up the others.
    #[cfg_attr(feature = "schema", schemars(length(max = 1000)))]
    pub items: Vec<serde_json::Value>,
}

/// One accepted VAU in a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AcceptedVau {
    /// As it was submitted.
    pub vau: VauSubmission,
    /// Recomputed by the backend.
    pub vau_id: VauId,
    /// Recomputed by the backend.
    pub fingerprint: Fingerprint,
    /// When the edge accepted it. The backend never checks age again.
    pub accepted_at: EpochMs,
    /// What the trust score was computed from.
    pub device: DeviceHistory,
    /// Recomputed by the backend.
    pub trust_score: u8,
    /// What was promised: the reward, or `0` when the day's emission was used up.
    pub earned: Amount,
}

/// The backend's answer: every item of the segment is in one of the three places, for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SegmentReceipt {
    /// The segment.
    pub segment_id: Uuid,
    /// VAUs counted by this delivery.
    pub counted: u32,
    /// VAUs that had been counted before.
    pub duplicates: u32,
    /// Items set aside, with the reason.
    pub quarantined: Vec<Quarantined>,
}

/// An item that was not counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Quarantined {
    /// Its place in the segment, from 0.
    pub index: u32,
    /// Why.
    pub reason: QuarantineReason,
}

/// Why an item is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum QuarantineReason {
    /// It is not an [`AcceptedVau`].
    Unreadable,
    /// The id or fingerprint is not that of the fields.
    IdMismatch,
    /// The device did not sign these fields.
    SignatureInvalid,
    /// The device is not registered to the user.
    DeviceUnknown,
    /// A different VAU with this id was counted before.
    Conflicting,
    /// Score or reward do not follow from the carried inputs.
    RewardMismatch,
}

impl QuarantineReason {
    /// The text form, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::IdMismatch => "id_mismatch",
            Self::SignatureInvalid => "signature_invalid",
            Self::DeviceUnknown => "device_unknown",
            Self::Conflicting => "conflicting",
            Self::RewardMismatch => "reward_mismatch",
        }
    }
}
