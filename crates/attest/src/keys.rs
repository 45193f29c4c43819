//! Keys and signatures, in files that other tools read too.
//!
//! Keys are the PEM files of OpenSSL (`openssl genpkey -algorithm ed25519`): RFC 8410, without attributes. A
//! signature is detached: the base64 of its 64 bytes over the very bytes of the manifest.

use crate::Sha256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, VerifyingKey};
use std::fmt;

/// A key or signature that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a PEM file of an Ed25519 public key.
    #[error("it is no Ed25519 public key in PEM form (-----BEGIN PUBLIC KEY-----)")]
    NoPublicKey,
    /// Not a PEM file of an Ed25519 private key.
    #[error(
        "it is no Ed25519 private key in PEM form (-----BEGIN PRIVATE KEY-----, not encrypted)"
    )]
    NoPrivateKey,
    /// Not the base64 of 64 bytes.
    #[error("it is no signature: the base64 of 64 bytes is expected")]
    NoSignature,
    /// The signature is by another key or over other bytes.
    #[error("it is not this key's signature over these bytes")]
    Wrong,
}

/// RFC 8410: the fixed bytes before the key in `SubjectPublicKeyInfo` and PKCS#8.
const PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
const PRIVATE_PREFIX: [u8; 16] = [
    0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
];

/// The key that checks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// From a PEM file.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let bytes = from_pem(text, "PUBLIC KEY", &PUBLIC_PREFIX).ok_or(KeyError::NoPublicKey)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::NoPublicKey)?;
        // A key of small order accepts signatures that nobody made.
        if key.is_weak() {
            return Err(KeyError::NoPublicKey);
        }
        Ok(Self(key))
    }

    /// As a PEM file.
    pub fn to_pem(self) -> String {
        to_pem("PUBLIC KEY", &PUBLIC_PREFIX, self.0.as_bytes())
    }

    /// A short name for it: the first 16 digits of the SHA-256 of its 32 bytes.
    pub fn id(&self) -> String {
        let mut id = Sha256::of(self.0.as_bytes()).to_string();
        id.truncate(16);
        id
    }

    /// Whether `signature` is this key's over `message` (RFC 8032, strict).
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), KeyError> {
        self.0
            .verify_strict(message, &signature.0)
            .map_err(|_| KeyError::Wrong)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.id()).finish()
    }
}

/// The key that signs. Its memory is wiped when it goes.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// From 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// From a PEM file.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        from_pem(text, "PRIVATE KEY", &PRIVATE_PREFIX)
            .map(|seed| Self::from_seed(&seed))
            .ok_or(KeyError::NoPrivateKey)
    }

    /// As a PEM file.
    pub fn to_pem(&self) -> String {
        to_pem("PRIVATE KEY", &PRIVATE_PREFIX, self.0.as_bytes())
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Over the very bytes of a manifest.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey")
            .field(&self.public().id())
            .finish()
    }
}

/// A detached signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature(ed25519_dalek::Signature);

impl Signature {
    /// From the text of a file.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        STANDARD
            .decode(text.trim())
            .ok()
            .and_then(|bytes| <[u8; 64]>::try_from(bytes).ok())
            .map(|bytes| Self(ed25519_dalek::Signature::from_bytes(&bytes)))
            .ok_or(KeyError::NoSignature)
    }

    /// The text of a file.
    pub fn to_text(self) -> String {
        format!("{}\n", STANDARD.encode(self.0.to_bytes()))
    }
}

fn from_pem<const N: usize>(text: &str, label: &str, prefix: &[u8; N]) -> Option<[u8; 32]> {
    let body = text
        .trim()
        .strip_prefix(&format!("-----BEGIN {label}-----"))?
        .strip_suffix(&format!("-----END {label}-----"))?;
    let compact: String = body.split_ascii_whitespace().collect();
    let der = STANDARD.decode(compact).ok()?;
    der.strip_prefix(prefix.as_slice())?.try_into().ok()
}

fn to_pem(label: &str, prefix: &[u8], key: &[u8; 32]) -> String {
    let body = STANDARD.encode([prefix, key.as_slice()].concat());
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 8410, section 10.3.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn keys_are_read_and_written_as_the_rfc_has_them() {
        let key = SigningKey::from_pem(PRIVATE).unwrap();
        assert_eq!(key.to_pem(), PRIVATE);
        assert_eq!(key.public().to_pem(), PUBLIC);
        assert_eq!(PublicKey::from_pem(PUBLIC).unwrap(), key.public());
        assert_eq!(
            PublicKey::from_pem(PRIVATE).unwrap_err(),
            KeyError::NoPublicKey
        );
        assert_eq!(
            SigningKey::from_pem(PUBLIC).unwrap_err(),
            KeyError::NoPrivateKey
        );
        assert!(SigningKey::from_pem(&PRIVATE.replace("MC4C", "MC4D")).is_err());
        assert!(
            !format!("{key:?}").contains("1O5y"),
            "the secret is not shown"
        );
    }

    #[test]
    fn a_signature_holds_for_its_key_and_its_bytes_only() {
        let (key, other) = (
            SigningKey::from_seed(&[1; 32]),
            SigningKey::from_seed(&[2; 32]),
        );
        let signature = Signature::parse(&key.sign(b"manifest").to_text()).unwrap();
        assert_eq!(key.public().verify(b"manifest", &signature), Ok(()));
        assert_eq!(
            key.public().verify(b"manifes", &signature),
            Err(KeyError::Wrong)
        );
        assert_eq!(
            other.public().verify(b"manifest", &signature),
            Err(KeyError::Wrong)
        );
        for bad in ["", "AAAA", "not base64!", &"A".repeat(88)] {
            assert!(
                Signature::parse(bad).is_err()
                    || key
                        .public()
                        .verify(b"manifest", &Signature::parse(bad).unwrap())
                        .is_err()
            );
        }
    }

    #[test]
    fn a_key_that_anybody_can_sign_for_is_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let pem = to_pem("PUBLIC KEY", &PUBLIC_PREFIX, &identity);
        assert_eq!(PublicKey::from_pem(&pem), Err(KeyError::NoPublicKey));
    }
}
