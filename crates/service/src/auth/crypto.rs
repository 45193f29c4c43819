//! The crypto behind jsonwebtoken: Ed25519 and nothing else. Another algorithm does not fail a check, it
//! does not exist.
//!
//! The library's own providers stay out of the build: both at once panic at run time, and one brings an RSA
//! implementation with a known timing leak.

use contracts::token::{AccessClaims, TOKEN_TYPE};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind, Result};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| signer(*algorithm, key),
    verifier_factory: |algorithm, key| verifier(*algorithm, key),
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| unsupported(),
        rsa_pub_components_from_public_key: |_| unsupported(),
        ec_pub_components_from_private_key: |_, _| unsupported(),
        ed_pub_components_from_private_key: |_, _| unsupported(),
        compute_digest: |_, _| unsupported(),
    },
};

/// Makes the provider that of the process. Only this module calls it, so a second call finds our own.
pub(super) fn install() {
    let _ = PROVIDER.install_default();
}

/// A verifying key in jsonwebtoken's form: the 32 bytes as they are.
pub(super) fn decoding_key(public_key: &[u8; 32]) -> DecodingKey {
    DecodingKey::from_ed_der(public_key)
}

/// Signs access tokens with one key.
#[derive(Clone)]
pub struct AccessTokenSigner {
    kid: String,
    key: EncodingKey,
}

impl std::fmt::Debug for AccessTokenSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessTokenSigner")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl AccessTokenSigner {
    /// `seed` is the Ed25519 secret key, `kid` its name in the JWKS.
    pub fn new(kid: impl Into<String>, seed: &[u8; 32]) -> Self {
        install();
        Self {
            kid: kid.into(),
            key: EncodingKey::from_ed_der(seed),
        }
    }

    /// The key's name.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The compact form of a token with these claims.
    pub fn sign(&self, claims: &AccessClaims) -> Result<String> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.key)
    }
}

fn unsupported<T>() -> Result<T> {
    Err(Error::from(ErrorKind::InvalidAlgorithm))
}

fn signer(algorithm: Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    if algorithm != Algorithm::EdDSA || key.family() != AlgorithmFamily::Ed {
        return unsupported();
    }
    let seed = <&[u8; 32]>::try_from(key.as_bytes())
        .map_err(|_| Error::from(ErrorKind::InvalidEddsaKey))?;
    Ok(Box::new(Ed25519Signer(SigningKey::from_bytes(seed))))
}

fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if algorithm != Algorithm::EdDSA || key.family() != AlgorithmFamily::Ed {
        return unsupported();
    }
    let invalid = || Error::from(ErrorKind::InvalidEddsaKey);
    let bytes = <&[u8; 32]>::try_from(key.try_get_as_bytes()?).map_err(|_| invalid())?;
    let key = VerifyingKey::from_bytes(bytes).map_err(|_| invalid())?;
    Ok(Box::new(Ed25519Verifier(key)))
}

struct Ed25519Signer(SigningKey);

impl signature::Signer<Vec<u8>> for Ed25519Signer {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, signature::Error> {
        Ok(self.0.sign(message).to_bytes().to_vec())
    }
}

impl JwtSigner for Ed25519Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct Ed25519Verifier(VerifyingKey);

impl signature::Verifier<Vec<u8>> for Ed25519Verifier {
    fn verify(
        &self,
        message: &[u8],
        signature: &Vec<u8>,
    ) -> std::result::Result<(), signature::Error> {
        let signature = Signature::from_slice(signature).map_err(|_| signature::Error::new())?;
        self.0
            .verify_strict(message, &signature)
            .map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Ed25519Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}
