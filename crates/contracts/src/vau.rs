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
