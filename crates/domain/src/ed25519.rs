//! Ed25519 in plain Rust, strict: small-order keys and non-canonical signatures are refused.

use ed25519_dalek::{Signature, VerifyingKey};

/// The signature does not hold, or the key is not one that can sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signature is not valid for this key and message")]
pub struct SignatureError;

/// Verifies `signature` over `message` by `public_key` (RFC 8032, strict).
pub fn verify(
    public_key: &[u8; 32],
    message: &[u8],
    signature: &[u8; 64],
) -> Result<(), SignatureError> {
    let key = VerifyingKey::from_bytes(public_key).map_err(|_| SignatureError)?;
    key.verify_strict(message, &Signature::from_bytes(signature))
        .map_err(|_| SignatureError)
}

/// Whether `public_key` is a point that a real secret key can have: on the curve and not of small
/// order. A small-order key accepts forged signatures in lax verifiers, so it is never registered.
pub fn is_signing_key(public_key: &[u8; 32]) -> bool {
    VerifyingKey::from_bytes(public_key).is_ok_and(|key| !key.is_weak())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};

    #[test]
    fn a_small_order_key_signs_nothing() {
        let mut identity = [0u8; 32];
        identity[0] = 1;
        assert!(!is_signing_key(&identity));
        // R = identity, S = 0 verifies for the identity key in a lax verifier.
        let mut forged = [0u8; 64];
        forged[0] = 1;
        assert_eq!(verify(&identity, b"anything", &forged), Err(SignatureError));
    }

    #[test]
    fn a_signature_with_s_plus_the_group_order_is_refused() {
        const L: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
            0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let key = SigningKey::from_bytes(&[7; 32]);
        let good = key.sign(b"m").to_bytes();
        assert!(verify(key.verifying_key().as_bytes(), b"m", &good).is_ok());
        let mut bad = good;
        let mut carry = 0u16;
        for (byte, l) in bad[32..].iter_mut().zip(L) {
            let sum = u16::from(*byte) + u16::from(l) + carry;
            *byte = (sum & 0xff) as u8;
            carry = sum >> 8;
        }
        assert_eq!(
            verify(key.verifying_key().as_bytes(), b"m", &bad),
            Err(SignatureError)
        );
    }
}
