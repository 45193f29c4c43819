//! A signature by a known credential.

use super::authenticator::AuthenticatorData;
use super::client_data::{Ceremony, check};
use super::{CoseKey, Policy, Reason, Verdict, ecdsa_raw};
use crate::signature::is_forgeable;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::device::Credential;
use contracts::vau::Attestation;
use domain::bytes::sha256;
use domain::vau::Vau;

/// What is left to check: a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// By this key.
    pub key: CoseKey,
    /// Over these bytes.
    pub signed: Vec<u8>,
    /// As WebCrypto reads it.
    pub signature: Vec<u8>,
    sign_count: u32,
    user_verified: bool,
}

impl Assertion {
    /// The verdict, once it is known whether the signature holds.
    pub const fn believe(&self, holds: bool) -> Verdict {
        if holds {
            Verdict::Verified {
                sign_count: self.sign_count,
                user_verified: self.user_verified,
            }
        } else {
            Verdict::Invalid(Reason::Signature)
        }
    }
}

/// Judges all but the signature. `credential` is the one that the device has under the attestation's id, with the
/// highest counter that was seen of it.
pub fn assertion(
    attestation: &Attestation,
    credential: &Credential,
    vau: &Vau<'_>,
    policy: &Policy,
) -> Result<Assertion, Verdict> {
    let key = URL_SAFE_NO_PAD
        .decode(&credential.public_key)
        .map_err(|_| Reason::Malformed)
        .and_then(|bytes| CoseKey::parse(&bytes));
    match key {
        Ok(key) => judge(attestation, credential, vau, policy, key).map_err(Verdict::Invalid),
        // Of a stored key there is nothing to say against the caller.
        Err(_) => Err(Verdict::Unsupported),
    }
}

fn judge(
    attestation: &Attestation,
    credential: &Credential,
    vau: &Vau<'_>,
    policy: &Policy,
    key: CoseKey,
) -> Result<Assertion, Reason> {
    if attestation.credential_id != credential.credential_id {
        return Err(Reason::Credential);
    }
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Reason::Malformed);
    let client_data = decode(&attestation.client_data_json)?;
    check(
        &client_data,
        Ceremony::Get,
        &vau.attestation_challenge(),
        policy,
    )?;
    let mut signed = decode(&attestation.authenticator_data)?;
    let data = AuthenticatorData::parse(&signed)?;
    if data.attested.is_some() {
        return Err(Reason::Malformed);
    }
    data.check(policy)?;
    let counts = data.sign_count != 0 || credential.sign_count != 0;
    if counts && data.sign_count <= credential.sign_count {
        return Err(Reason::Replayed);
    }
    let signature = decode(&attestation.signature)?;
    let signature = match &key {
        CoseKey::Es256 { .. } => ecdsa_raw(&signature)?.to_vec(),
        CoseKey::EdDsa { x } => {
            let fixed = <[u8; 64]>::try_from(&signature[..]).map_err(|_| Reason::Malformed)?;
            if is_forgeable(x, &fixed) {
                return Err(Reason::Signature);
            }
            signature
        }
        CoseKey::Rs256 { n } => {
            if signature.len() != n.len() {
                return Err(Reason::Malformed);
            }
            signature
        }
    };
    signed.extend_from_slice(&sha256(&client_data));
    Ok(Assertion {
        key,
        signed,
        signature,
        sign_count: data.sign_count,
        user_verified: data.user_verified(),
    })
}
