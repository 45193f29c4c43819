//! A device held in memory.

use crate::ClientError;
use crate::keys::Key;
use contracts::device::RegisterDevice;
use contracts::vau::VauSubmission;
use domain::device::registration_canonical;
use domain::vau::batch_canonical;
use domain::{DeviceId, EpochMs, SiteId, WalletAddress};

/// A device's key pair.
#[derive(Debug, Clone)]
pub struct Device(Key);

impl Device {
    /// A new device.
    pub fn generate() -> Result<Self, ClientError> {
        Key::generate().map(Self)
    }

    /// The device with this secret seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Key::from_seed(seed))
    }

    /// The secret seed, to keep the device.
    pub fn seed(&self) -> [u8; 32] {
        self.0.seed()
    }

    /// Its id: the public key.
    pub fn id(&self) -> DeviceId {
        DeviceId::from_bytes(self.0.public())
    }

    /// Signs any bytes.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message)
    }

    /// The body of `POST /devices`: registers this device to `user`.
    pub fn registration(&self, user: WalletAddress, issued_at: EpochMs) -> RegisterDevice {
        let proof = self.sign(&registration_canonical(&user, &self.id(), issued_at));
        RegisterDevice {
            device_id: self.id(),
            issued_at,
            proof: hex::encode(proof),
        }
    }

    /// A signed VAU without attestation.
    pub fn vau(
        &self,
        user: WalletAddress,
        site: &SiteId,
        timestamp: EpochMs,
        payload: &str,
    ) -> VauSubmission {
        let mut vau = VauSubmission {
            user_id: user,
            device_id: self.id(),
            site_id: site.clone(),
            timestamp,
            payload: payload.to_owned(),
            signature: String::new(),
            attestation: None,
        };
        self.sign_vau(&mut vau);
        vau
    }

    /// Puts this device's signature over the VAU's fields, whatever they say.
    pub fn sign_vau(&self, vau: &mut VauSubmission) {
        vau.signature = hex::encode(self.sign(&vau.signed_fields().canonical()));
    }

    /// A batch of VAUs without signatures of their own, under one signature: the body of `POST /api/v1/vau/batch`.
    ///
    /// # Errors
    /// When one of `vaus` is not a VAU.
    pub fn seal(
        &self,
        batch_id: &str,
        submitted_at: EpochMs,
        vaus: &[serde_json::Value],
    ) -> Result<serde_json::Value, ClientError> {
        let print = |vau: &serde_json::Value| {
            let mut whole = vau.clone();
            if let Some(fields) = whole.as_object_mut() {
                fields.entry("signature").or_insert_with(|| "".into());
            }
            let vau: VauSubmission = serde_json::from_value(whole)?;
            Ok::<_, serde_json::Error>(vau.signed_fields().fingerprint())
        };
        let prints = vaus.iter().map(print).collect::<Result<Vec<_>, _>>()?;
        let signature = self.sign(&batch_canonical(batch_id, submitted_at, &prints));
        Ok(serde_json::json!({
            "batchId": batch_id,
            "submittedAt": submitted_at,
            "vaus": vaus,
            "signature": hex::encode(signature),
        }))
    }
}
