//! Submitting a VAU.

use domain::vau::{Attestation as SignedAttestation, Vau};
use domain::{Amount, DeviceId, EpochMs, SiteId, VauId, WalletAddress};
use serde::{Deserialize, Serialize};

/// `POST /api/v1/vau`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VauSubmission {
    /// The wallet that is credited; must be the token's.
    pub user_id: WalletAddress,
    /// The device that signs, registered to the user.
    pub device_id: DeviceId,
    /// Where attention was given.
    pub site_id: SiteId,
    /// When, by the device's clock; at most 30 s old and 5 s ahead.
    pub timestamp: EpochMs,
    /// Opaque, at most 8,192 bytes.
    #[cfg_attr(feature = "schema", schemars(length(max = 8192)))]
    pub payload: String,
    /// Ed25519 signature by the device over the canonical bytes, 128 lower-case hex digits.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^[0-9a-f]{128}$")))]
    pub signature: String,
    /// Evidence about the device; part of the signed bytes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attestation: Option<Attestation>,
}

/// `POST /api/v1/vau/batch`. Its items are read one by one, so that one that is wrong does not hold up the others.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VauBatch<T = serde_json::Value> {
    /// The client's name for it: 1 to 128 visible ASCII characters.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^[!-~]{1,128}$")))]
    pub batch_id: String,
    /// When it is sent; at most 30 s old and 5 s ahead. Its items are at most 300 s older.
    pub submitted_at: EpochMs,
    /// The VAUs: [`VauSubmission`]s, whose `signature` may be left out when the batch is signed.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 100)))]
    pub vaus: Vec<T>,
    /// One device's signature over all items, in place of theirs: 128 lower-case hex digits.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^[0-9a-f]{128}$")))]
    pub signature: Option<String>,
}

/// The answer to a batch: what became of each item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BatchAccepted {
    /// The client's name for the batch.
    pub batch_id: String,
    /// Items taken in now.
    pub accepted: u32,
    /// Items that had been taken in before.
    pub duplicates: u32,
    /// Items that were refused.
    pub rejected: u32,
    /// What the items taken in now earn together, base units.
    pub earned: Amount,
    /// Each item, in the order of the batch.
    pub items: Vec<BatchItem>,
}

/// What became of an item of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BatchItem {
    /// Its place in the batch, from 0.
    pub index: u32,
    /// In one word.
    pub status: BatchItemStatus,
    /// The answer of an item that was taken in, now or before.
    #[serde(flatten)]
    pub receipt: Option<VauAccepted>,
    /// Why it was refused: the code that the VAU alone would have got.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<crate::Code>,
    /// What is wrong and what to do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<crate::FieldError>,
}

/// What became of an item, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum BatchItemStatus {
    /// Taken in now.
    Accepted,
    /// Taken in before.
    Duplicate,
    /// Not taken in.
    Rejected,
}

/// `GET /api/v1/vau/status/{vauId}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VauStatus {
    /// Names the VAU.
    pub vau_id: VauId,
    /// How far it has come.
    pub state: VauState,
    /// What it earns, base units.
    pub earned: Amount,
    /// The device's trust score when it was accepted.
    pub trust_score: u8,
    /// When the edge accepted it, epoch ms.
    pub timestamp: EpochMs,
}

/// How far a VAU has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum VauState {
    /// Stored at the edge; the next segment takes it along.
    Accepted,
    /// On its way to the backend.
    Delivering,
    /// In the ledger.
    Counted,
    /// Set aside by the backend, with a reason.
    Quarantined,
}

/// `WebAuthn` evidence, as text, exactly as signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attestation {
    /// Credential id.
    #[cfg_attr(feature = "schema", schemars(length(max = 2048)))]
    pub credential_id: String,
    /// Client data.
    #[serde(rename = "clientDataJSON")]
    #[cfg_attr(feature = "schema", schemars(length(max = 2048)))]
    pub client_data_json: String,
    /// Authenticator data.
    #[cfg_attr(feature = "schema", schemars(length(max = 2048)))]
    pub authenticator_data: String,
    /// Assertion signature.
    #[cfg_attr(feature = "schema", schemars(length(max = 2048)))]
    pub signature: String,
    /// User handle.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "schema", schemars(length(max = 2048)))]
    pub user_handle: Option<String>,
}

/// The answer to an accepted VAU. What it says is durable at the edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VauAccepted {
    /// Names the VAU for ever.
    pub vau_id: VauId,
    /// What it earns, base units; `0` when the day's emission is used up.
    pub earned: Amount,
    /// The device's trust score, 0 to 100.
    pub trust_score: u8,
    /// When the edge accepted it, epoch ms.
    pub timestamp: EpochMs,
}

impl VauSubmission {
    /// The fields that are signed.
    pub fn signed_fields(&self) -> Vau<'_> {
        Vau {
            user_id: &self.user_id,
            device_id: &self.device_id,
            site_id: &self.site_id,
            timestamp: self.timestamp,
            payload: &self.payload,
            attestation: self.attestation.as_ref().map(|a| SignedAttestation {
                credential_id: &a.credential_id,
                client_data_json: &a.client_data_json,
                authenticator_data: &a.authenticator_data,
                signature: &a.signature,
                user_handle: a.user_handle.as_deref(),
            }),
        }
    }
}
