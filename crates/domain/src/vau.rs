//! A Verified Attention Unit: its signed bytes, its id, its fingerprint, its time window.
//!
//! ```text
//! canonical   = "twist-vau-v1" lp(userId) lp(deviceId) lp(siteId) u64le(timestamp) lp(payload) att
//! att         = 32 zero bytes, or SHA-256 over lp(credentialId) lp(clientDataJSON)
//!               lp(authenticatorData) lp(signature) lp(userHandle, empty when absent)
//! fingerprint = SHA-256(canonical)
//! vauId       = first 16 bytes of SHA-256("twist-vau-id-v1" lp(userId) lp(deviceId) lp(siteId) u64le(timestamp))
//! batch       = "twist-vau-batch-v1" lp(batchId) u64le(submittedAt) u32le(n) fingerprint*n
//! challenge   = fingerprint with att = 32 zero bytes; what the authenticator is asked to sign
//! lp(x)       = u32le(length of x) x
//! ```

use crate::bytes::Canonical;
use crate::ids::{DeviceId, Fingerprint, SiteId, VauId, WalletAddress};
use crate::time::{EpochMs, Window};

/// How old a VAU's timestamp may be when the edge takes it in.
pub const MAX_AGE_MS: u64 = 30_000;
/// How far a VAU's timestamp may lie ahead of the edge's clock.
pub const MAX_AHEAD_MS: u64 = 5_000;
/// The longest payload, in bytes of UTF-8.
pub const MAX_PAYLOAD_BYTES: usize = 8_192;
/// The longest field of an attestation, in bytes.
pub const MAX_ATTESTATION_FIELD_BYTES: usize = 2_048;
/// VAUs that one device can be credited for in a UTC day: one every ten seconds.
pub const MAX_PER_DEVICE_PER_DAY: u32 = 8_640;

/// What a device says about its authenticator, exactly as it was sent. Part of the signed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attestation<'a> {
    /// `WebAuthn` credential id.
    pub credential_id: &'a str,
    /// `WebAuthn` client data, as the text that was sent.
    pub client_data_json: &'a str,
    /// `WebAuthn` authenticator data.
    pub authenticator_data: &'a str,
    /// `WebAuthn` assertion signature.
    pub signature: &'a str,
    /// `WebAuthn` user handle; absent and empty are the same bytes.
    pub user_handle: Option<&'a str>,
}

impl Attestation<'_> {
    fn digest(&self) -> [u8; 32] {
        Canonical::untagged()
            .lp(self.credential_id.as_bytes())
            .lp(self.client_data_json.as_bytes())
            .lp(self.authenticator_data.as_bytes())
            .lp(self.signature.as_bytes())
            .lp(self.user_handle.unwrap_or_default().as_bytes())
            .digest()
    }
}

/// The fields of a VAU that its device signs: all of them.
#[derive(Debug, Clone, Copy)]
pub struct Vau<'a> {
    /// The wallet that is credited.
    pub user_id: &'a WalletAddress,
    /// The key that signs.
    pub device_id: &'a DeviceId,
    /// Where attention was given.
    pub site_id: &'a SiteId,
    /// When, by the device's clock.
    pub timestamp: EpochMs,
    /// Opaque to the platform; by convention JSON with duration, scroll depth and interactions.
    pub payload: &'a str,
    /// Evidence about the device, if it has any.
    pub attestation: Option<Attestation<'a>>,
}

impl Vau<'_> {
    /// The bytes the device signs.
    pub fn canonical(&self) -> Vec<u8> {
        self.canonical_builder().into_bytes()
    }

    /// What an authenticator signs for this VAU: the fingerprint it would have without an attestation.
    pub fn attestation_challenge(&self) -> [u8; 32] {
        let attestation = None;
        let bare = Vau {
            attestation,
            ..*self
        };
        bare.canonical_builder().digest()
    }

    /// SHA-256 of the signed bytes.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::from_bytes(self.canonical_builder().digest())
    }

    /// The id under which this VAU can be credited once.
    pub fn id(&self) -> VauId {
        let digest = Canonical::tagged("twist-vau-id-v1")
            .lp(self.user_id.to_string().as_bytes())
            .lp(self.device_id.to_string().as_bytes())
            .lp(self.site_id.as_str().as_bytes())
            .u64(self.timestamp.get())
            .digest();
        let mut id = [0u8; 16];
        for (to, from) in id.iter_mut().zip(digest) {
            *to = from;
        }
        VauId::from_bytes(id)
    }

    /// Whether the device's time is acceptable at `now`: 30 s back, 5 s ahead.
    pub fn window(&self, now: EpochMs) -> Window {
        self.timestamp.within(now, MAX_AGE_MS, MAX_AHEAD_MS)
    }

    fn canonical_builder(&self) -> Canonical {
        Canonical::tagged("twist-vau-v1")
            .lp(self.user_id.to_string().as_bytes())
            .lp(self.device_id.to_string().as_bytes())
            .lp(self.site_id.as_str().as_bytes())
            .u64(self.timestamp.get())
            .lp(self.payload.as_bytes())
            .fixed(&self.attestation.map_or([0u8; 32], |a| a.digest()))
    }
}

/// The bytes a device signs once for a whole batch, over the fingerprints of its VAUs in order.
pub fn batch_canonical(batch_id: &str, submitted_at: EpochMs, items: &[Fingerprint]) -> Vec<u8> {
    let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
    let head = Canonical::tagged("twist-vau-batch-v1")
        .lp(batch_id.as_bytes())
        .u64(submitted_at.get())
        .u32(count);
    items
        .iter()
        .fold(head, |bytes, item| bytes.fixed(item.as_bytes()))
        .into_bytes()
}
