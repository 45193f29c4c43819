//! Devices: keys that sign VAUs for a user.

use domain::{DeviceId, EpochMs, WalletAddress};
use serde::{Deserialize, Serialize};

/// Devices a user can have at a time.
pub const MAX_DEVICES_PER_USER: u32 = 10;

/// Credentials a device can have at a time.
pub const MAX_CREDENTIALS_PER_DEVICE: u32 = 5;

/// `POST /devices`: registers a device to the signed-in user.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RegisterDevice {
    /// The device's public key.
    pub device_id: DeviceId,
    /// When the proof was made; within 300 s of the server's clock.
    pub issued_at: EpochMs,
    /// Ed25519 signature by the device over `"twist-device-v1" lp(userId) lp(deviceId) u64le(issuedAt)`,
    /// 128 lower-case hex digits.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^[0-9a-f]{128}$")))]
    pub proof: String,
}

/// A registered device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Device {
    /// The device's public key.
    pub device_id: DeviceId,
    /// The wallet it was registered with; the only `userId` its VAUs may carry.
    pub user_id: WalletAddress,
    /// When, epoch ms.
    pub registered_at: EpochMs,
    /// Authenticators that may attest its VAUs; only told to the edge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
}

/// An authenticator's credential, as far as checking its signatures needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Credential {
    /// Its id, base64url without padding.
    pub credential_id: String,
    /// Its public key in COSE, base64url without padding.
    pub public_key: String,
    /// The authenticator's counter at registration; 0 where it does not count.
    pub sign_count: u32,
}

/// `POST /devices/{deviceId}/credentials`: what `navigator.credentials.create()` gave, for the challenge
/// `SHA-256("twist-credential-v1" lp(userId) lp(deviceId) u64le(issuedAt))`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RegisterCredential {
    /// When the challenge was made; within 300 s of the server's clock.
    pub issued_at: EpochMs,
    /// `response.clientDataJSON`, base64url without padding.
    #[serde(rename = "clientDataJSON")]
    #[cfg_attr(feature = "schema", schemars(length(max = 2732)))]
    pub client_data_json: String,
    /// `response.attestationObject`, base64url without padding.
    #[cfg_attr(feature = "schema", schemars(length(max = 21848)))]
    pub attestation_object: String,
}

/// A registered credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RegisteredCredential {
    /// Its id, base64url without padding.
    pub credential_id: String,
    /// The device whose VAUs it may attest.
    pub device_id: DeviceId,
    /// `ES256`, `EdDSA` or `RS256`.
    pub algorithm: String,
    /// The authenticator's make, as it claims.
    pub aaguid: uuid::Uuid,
    /// Whether the user was recognised when it was made.
    pub user_verified: bool,
    /// When, epoch ms.
    pub registered_at: EpochMs,
}

/// `GET /devices`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeviceList {
    /// The caller's devices, newest first.
    pub devices: Vec<Device>,
}
