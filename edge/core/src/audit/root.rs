//! What is signed for a day.

use super::segment::ROOTS;
use super::{Day, Hash};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::bytes::{Canonical, sha256};
use serde::{Deserialize, Serialize};

/// Where the log stood when a day had ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Root {
    /// The day.
    pub day: Day,
    /// Its first record.
    pub first_seq: u64,
    /// Its last record.
    pub last_seq: u64,
    /// Its segments.
    pub segments: u64,
    /// The hash of the last of them.
    pub segment_hash: Hash,
    /// The hash of the root before, zero for the first.
    pub prev_root_hash: Hash,
}

impl Root {
    /// The bytes that are signed.
    pub fn canonical(&self) -> Vec<u8> {
        Canonical::tagged("twist-audit-root-v1")
            .lp(self.day.to_string().as_bytes())
            .u64(self.first_seq)
            .u64(self.last_seq)
            .u64(self.segments)
            .fixed(&self.segment_hash.0)
            .fixed(&self.prev_root_hash.0)
            .into_bytes()
    }

    /// SHA-256 of the signed bytes; the next root names it.
    pub fn hash(&self) -> Hash {
        Hash(sha256(&self.canonical()))
    }

    /// The object's key.
    pub fn key(&self) -> String {
        format!("{ROOTS}{}", self.day)
    }
}

/// A root with its signature: the object under [`Root::key`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedRoot {
    /// What is signed.
    pub root: Root,
    /// Ed25519 over [`Root::canonical`], base64.
    pub signature: String,
}

impl SignedRoot {
    /// Puts both together.
    pub fn new(root: Root, signature: &[u8]) -> Self {
        Self {
            root,
            signature: STANDARD.encode(signature),
        }
    }

    /// The signature, if it is one by its length.
    pub fn signature(&self) -> Option<[u8; 64]> {
        STANDARD.decode(&self.signature).ok()?.try_into().ok()
    }
}

/// RFC 8410: the fixed bytes before the key in PKCS#8.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
];

/// The PKCS#8 bytes of an Ed25519 private key in PEM form, as `twistctl keygen` writes it. New lines may be missing:
/// not every place that keeps secrets keeps them.
pub fn signing_key(pem: &str) -> Option<Vec<u8>> {
    let body = pem
        .trim()
        .strip_prefix("-----BEGIN PRIVATE KEY-----")?
        .strip_suffix("-----END PRIVATE KEY-----")?;
    let compact: String = body.split_ascii_whitespace().collect();
    let der = STANDARD.decode(compact).ok()?;
    (der.len() == PKCS8.len() + 32 && der.starts_with(&PKCS8)).then_some(der)
}
