//! A device proves that it holds its key when it is registered to a user.

use crate::bytes::Canonical;
use crate::ids::{DeviceId, WalletAddress};
use crate::time::{EpochMs, Window};

/// How far `issuedAt` of a registration proof may lie from our clock, either way.
pub const PROOF_WINDOW_MS: u64 = 300_000;

/// The bytes a device signs to be registered to `user`:
/// `"twist-device-v1" lp(userId) lp(deviceId) u64le(issuedAt)`.
pub fn registration_canonical(
    user: &WalletAddress,
    device: &DeviceId,
    issued_at: EpochMs,
) -> Vec<u8> {
    Canonical::tagged("twist-device-v1")
        .lp(user.to_string().as_bytes())
        .lp(device.to_string().as_bytes())
        .u64(issued_at.get())
        .into_bytes()
}

/// Whether a proof issued at `issued_at` is acceptable at `now`.
pub fn proof_window(issued_at: EpochMs, now: EpochMs) -> Window {
    issued_at.within(now, PROOF_WINDOW_MS, PROOF_WINDOW_MS)
}

/// What an authenticator signs to become a credential of `device`:
/// SHA-256 of `"twist-credential-v1" lp(userId) lp(deviceId) u64le(issuedAt)`.
pub fn credential_challenge(
    user: &WalletAddress,
    device: &DeviceId,
    issued_at: EpochMs,
) -> [u8; 32] {
    Canonical::tagged("twist-credential-v1")
        .lp(user.to_string().as_bytes())
        .lp(device.to_string().as_bytes())
        .u64(issued_at.get())
        .digest()
}
