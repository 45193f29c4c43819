//! Whether an authenticator of the user's took part in a VAU.

use crate::webcrypto_cose::holds;
use contracts::device::Credential;
use contracts::vau::Attestation;
use domain::vau::Vau;
use edge_core::attestation::{Policy, Verdict, assertion};

/// Judges `attestation` of `vau`. `credential` is the one that the device has under the attestation's id, with the
/// highest counter that was seen of it; a verified one's counter has to be kept.
pub(crate) async fn verify(
    attestation: &Attestation,
    credential: &Credential,
    vau: &Vau<'_>,
    policy: &Policy,
) -> Verdict {
    match assertion(attestation, credential, vau, policy) {
        Ok(assertion) => {
            let held = holds(&assertion.key, &assertion.signed, &assertion.signature).await;
            assertion.believe(held)
        }
        Err(verdict) => verdict,
    }
}
