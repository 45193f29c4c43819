//! Byte layouts for everything that is signed or hashed: length-prefixed fields, little-endian
//! integers, no separators, so that no two different inputs can give the same bytes.

use sha2::{Digest, Sha256};

/// SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

/// Builds a canonical byte string that starts with a domain-separation tag.
#[derive(Debug, Clone)]
pub struct Canonical(Vec<u8>);

impl Canonical {
    /// Starts with `tag`, e.g. `twist-vau-v1`. The tag itself carries no length prefix.
    pub fn tagged(tag: &str) -> Self {
        Self(tag.as_bytes().to_vec())
    }

    /// Starts empty, for a nested hash that has no tag of its own.
    pub fn untagged() -> Self {
        Self(Vec::new())
    }

    /// Appends `lp(x)`: the length as `u32` little-endian, then the bytes.
    ///
    /// Inputs longer than `u32::MAX` are impossible at the sizes the wire types admit; the length
    /// saturates rather than wraps so that such an input could never imitate a shorter one.
    #[must_use]
    pub fn lp(mut self, x: &[u8]) -> Self {
        let len = u32::try_from(x.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&len.to_le_bytes());
        self.0.extend_from_slice(x);
        self
    }

    /// Appends a `u64`, little-endian.
    #[must_use]
    pub fn u64(mut self, x: u64) -> Self {
        self.0.extend_from_slice(&x.to_le_bytes());
        self
    }

    /// Appends a `u32`, little-endian.
    #[must_use]
    pub fn u32(mut self, x: u32) -> Self {
        self.0.extend_from_slice(&x.to_le_bytes());
        self
    }

    /// Appends bytes of a fixed, known length, without a prefix.
    #[must_use]
    pub fn fixed<const N: usize>(mut self, x: &[u8; N]) -> Self {
        self.0.extend_from_slice(x);
        self
    }

    /// The bytes so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to sign.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// SHA-256 of the bytes.
    pub fn digest(&self) -> [u8; 32] {
        sha256(&self.0)
    }
}
