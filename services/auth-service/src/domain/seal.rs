//! Secrets at rest: XChaCha20-Poly1305 under a key that is not in the database.
//!
//! Sealed form: 24 bytes nonce, then ciphertext and tag. The associated data binds it to its row, so that
//! a sealed secret copied to another row does not open.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 24;

/// The key of the keys.
#[derive(Clone)]
pub(crate) struct SealingKey(XChaCha20Poly1305);

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey")
    }
}

/// Why a secret cannot be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    /// The operating system gave no random bytes.
    #[error("no random bytes")]
    Random,
    /// Sealed under another key, for another row, or damaged.
    #[error("the sealed secret does not open: was KEY_ENCRYPTION_KEY changed?")]
    DoesNotOpen,
}

impl SealingKey {
    /// From 64 hex digits.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(hex::decode(text).ok()?);
        let bytes = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?);
        Some(Self(XChaCha20Poly1305::new(&Key::from(*bytes))))
    }

    /// Seals `secret` for the row named `row`.
    pub(crate) fn seal(&self, secret: &[u8; 32], row: &str) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0u8; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Random)?;
        let payload = Payload {
            msg: secret,
            aad: row.as_bytes(),
        };
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SealError::DoesNotOpen)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`SealingKey::seal`] sealed for the same row.
    pub(crate) fn open(&self, sealed: &[u8], row: &str) -> Result<Zeroizing<[u8; 32]>, SealError> {
        let (nonce, sealed) = sealed
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SealError::DoesNotOpen)?;
        let payload = Payload {
            msg: sealed,
            aad: row.as_bytes(),
        };
        let secret = self
            .0
            .decrypt(&XNonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| SealError::DoesNotOpen)?;
        <[u8; 32]>::try_from(secret.as_slice())
            .map(Zeroizing::new)
            .map_err(|_| SealError::DoesNotOpen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: &str) -> SealingKey {
        SealingKey::from_hex(&digit.repeat(64)).unwrap()
    }

    #[test]
    fn a_sealed_secret_opens_only_under_its_key_and_for_its_row() {
        let sealed = key("a").seal(&[5; 32], "row-1").unwrap();
        assert_eq!(*key("a").open(&sealed, "row-1").unwrap(), [5; 32]);
        assert_eq!(key("b").open(&sealed, "row-1"), Err(SealError::DoesNotOpen));
        assert_eq!(key("a").open(&sealed, "row-2"), Err(SealError::DoesNotOpen));
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(key("a").open(&altered, "row-1").is_err(), "byte {at}");
        }
        assert!(key("a").open(&sealed[..20], "row-1").is_err());
        assert!(
            !sealed.windows(8).any(|w| w == [5; 8]),
            "the secret is readable"
        );
    }

    #[test]
    fn a_key_of_the_wrong_length_is_refused() {
        for bad in ["", "00", &"0".repeat(62), &"0".repeat(66), &"g".repeat(64)] {
            assert!(SealingKey::from_hex(bad).is_none(), "{bad}");
        }
    }
}
