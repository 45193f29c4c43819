//! From the edge to the backend: segments of accepted VAUs.

use crate::vau::{Attestation, VauSubmission};
use domain::reward::{DeviceHistory, trust_score};
use domain::{Amount, DeviceId, EpochMs, Fingerprint, SiteId, VauId, WalletAddress};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The version of [`VauSegment`] this build writes. It is also that of the reward rule: a backend that does not
/// know a version refuses the segment, which the edge then keeps, instead of judging it by another rule.
///
/// 1: items are [`AcceptedVau`]s. 2: items are [`AcceptedGroup`]s, and trust can fall.
pub const SEGMENT_VERSION: u8 = 2;
/// The oldest version a backend still reads: what an object held while it was updated arrives in it.
pub const OLDEST_SEGMENT_VERSION: u8 = 1;

/// `POST /internal/v1/vau-batches`, and the queue message that leads to it: VAUs that one edge
/// object has accepted. Sent again until it is acknowledged; the backend counts each VAU once.
///
/// Unknown fields are let through, so that a newer edge does not block an older backend.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VauSegment {
    /// [`SEGMENT_VERSION`], or one that is still read.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 2)))]
    pub version: u8,
    /// Names the segment; the same on every delivery.
    pub segment_id: Uuid,
    /// The edge object that accepted these VAUs.
    pub shard: String,
    /// The VAUs, in the order they were accepted: in version 2 as [`AcceptedGroup`]s, in version 1 as
    /// [`AcceptedVau`]s. Each is read on its own, so that one that cannot be read does not hold up the others.
    #[cfg_attr(feature = "schema", schemars(length(max = 1000)))]
    pub items: Vec<serde_json::Value>,
}

/// VAUs of one device that were accepted in one request. What they share is told once, which is what lets half a
/// million a day through a free queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AcceptedGroup {
    /// The wallet that is credited.
    pub user_id: WalletAddress,
    /// The device that signs.
    pub device_id: DeviceId,
    /// When the edge accepted them. The backend never checks age again.
    pub accepted_at: EpochMs,
    /// What the trust score of the first item was computed from; see [`DeviceHistory::later`] for the others.
    pub device: DeviceHistory,
    /// The device's one signature over a batch, where the items carry none of their own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub batch: Option<SignedBatch>,
    /// The VAUs.
    pub items: Vec<AcceptedItem>,
}

/// A batch that its device signed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SignedBatch {
    /// The client's name for it.
    pub batch_id: String,
    /// When the client sent it.
    pub submitted_at: EpochMs,
    /// Over `"twist-vau-batch-v1" lp(batchId) u64le(submittedAt) u32le(n)` and the fingerprints.
    pub signature: String,
    /// The fingerprints of its VAUs that are not in this group: refused, repeated or travelling elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub others: Vec<OtherItem>,
}

/// A VAU of a batch that is not in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OtherItem {
    /// Its place in the batch, from 0.
    pub index: u32,
    /// Of its signed bytes.
    pub fingerprint: Fingerprint,
}

/// One VAU of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AcceptedItem {
    /// Its place in the batch, from 0.
    pub index: u32,
    /// Where attention was given.
    pub site_id: SiteId,
    /// When, by the device's clock.
    pub timestamp: EpochMs,
    /// Opaque.
    pub payload: String,
    /// Evidence about the device.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attestation: Option<Attestation>,
    /// The device's signature over this VAU; absent when the batch is signed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signature: Option<String>,
    /// What was promised: the reward, or `0` when the day's emission was used up.
    pub earned: Amount,
}

impl AcceptedGroup {
    /// Its VAUs one by one, as version 1 carried them. The signature is empty where the batch is signed.
    pub fn vaus(&self) -> impl Iterator<Item = AcceptedVau> + '_ {
        (0u32..).zip(&self.items).map(|(place, item)| {
            let vau = VauSubmission {
                user_id: self.user_id,
                device_id: self.device_id,
                site_id: item.site_id.clone(),
                timestamp: item.timestamp,
                payload: item.payload.clone(),
                signature: item.signature.clone().unwrap_or_default(),
                attestation: item.attestation.clone(),
            };
            let device = self.device.later(place);
            AcceptedVau {
                vau_id: vau.signed_fields().id(),
                fingerprint: vau.signed_fields().fingerprint(),
                vau,
                accepted_at: self.accepted_at,
                device,
                trust_score: trust_score(&device),
                earned: item.earned,
            }
        })
    }
}

/// One accepted VAU on its own.
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

/// The version of [`EdgeReport`].
pub const REPORT_VERSION: u8 = 1;

/// `POST /internal/v1/edge-reports`, and the queue message that leads to it: what an edge object has promised in an
/// hour that is over. The backend compares it with what it has counted of that hour, so that a loss shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EdgeReport {
    /// [`REPORT_VERSION`].
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1)))]
    pub version: u8,
    /// Names the report; the same on every delivery.
    pub segment_id: Uuid,
    /// The edge object.
    pub shard: String,
    /// When the hour was over.
    pub hour_ends_at: EpochMs,
    /// VAUs accepted in the hour.
    pub count: u64,
    /// What they earn, base units.
    pub promised: Amount,
    /// The hour's figures; left out of the message that is about money.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub figures: Option<HourFigures>,
}

/// What else is known of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HourFigures {
    /// Different users, about.
    pub unique_users: u64,
    /// Different devices, about.
    pub unique_devices: u64,
    /// Different sites, about.
    pub unique_sites: u64,
    /// Mean trust score, rounded down.
    pub avg_trust_score: u64,
}

/// The backend has a report for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportReceipt {
    /// The report.
    pub segment_id: Uuid,
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
