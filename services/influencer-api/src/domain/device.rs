//! What makes a device proof good.

use contracts::device::RegisterDevice;
use domain::device::{proof_window, registration_canonical};
use domain::time::Window;
use domain::{EpochMs, WalletAddress, ed25519};

/// Why a proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// `issuedAt` is more than five minutes off.
    #[error("issuedAt is more than five minutes from the server's clock; make a new proof")]
    Window,
    /// Not 128 lower-case hex digits.
    #[error("proof must be 128 lower-case hex digits")]
    Form,
    /// Not this device's signature over this user, device and time; or the key cannot sign.
    #[error("the proof is not the device's signature for this user, device and time")]
    Signature,
}

/// Checks that whoever made `request` holds the device's key and meant `user`, just now.
pub fn check_proof(
    request: &RegisterDevice,
    user: &WalletAddress,
    now: EpochMs,
) -> Result<(), ProofError> {
    if proof_window(request.issued_at, now) != Window::Inside {
        return Err(ProofError::Window);
    }
    let signature = signature(&request.proof).ok_or(ProofError::Form)?;
    let bytes = registration_canonical(user, &request.device_id, request.issued_at);
    ed25519::verify(request.device_id.as_bytes(), &bytes, &signature)
        .map_err(|_| ProofError::Signature)
}

/// A signature from its one text form: 128 lower-case hex digits.
pub fn signature(text: &str) -> Option<[u8; 64]> {
    if text.len() != 128 || text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0u8; 64];
    hex::decode_to_slice(text, &mut bytes).ok().map(|()| bytes)
}
