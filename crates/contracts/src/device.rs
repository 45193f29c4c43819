//! Devices: keys that sign VAUs for a user.

use domain::{DeviceId, EpochMs, WalletAddress};
use serde::{Deserialize, Serialize};

/// Devices a user can have at a time.
pub const MAX_DEVICES_PER_USER: u32 = 10;

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
}

/// `GET /devices`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeviceList {
    /// The caller's devices, newest first.
    pub devices: Vec<Device>,
}
