//! Hashes with one spelling each.

use crate::names::{InvalidName, string_form};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;
use std::fmt;

/// A SHA-256, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// Of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// The hash itself.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash itself.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<&str> for Sha256 {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        let wrong = || InvalidName::new("SHA-256", text, "64 lower-case hexadecimal digits");
        if !is_lower_hex(text) {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| wrong())?;
        Ok(Self(bytes))
    }
}

string_form!(Sha256, "^[0-9a-f]{64}$");

/// The SHA-256 of an artifact's Nix archive, as Nix writes it: `sha256-` and base64 (SRI).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NarHash([u8; 32]);

impl NarHash {
    const PREFIX: &str = "sha256-";

    /// The hash itself.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash itself.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for NarHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, STANDARD.encode(self.0))
    }
}

impl fmt::Debug for NarHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<&str> for NarHash {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        text.strip_prefix(Self::PREFIX)
            .and_then(|rest| STANDARD.decode(rest).ok())
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| InvalidName::new("NAR hash", text, "sha256- and 44 base64 characters"))
    }
}

string_form!(NarHash, "^sha256-[0-9A-Za-z+/]{43}=$");

/// The first eight bytes of the SHA-256 of each block of 64 KiB of a file, one after the other in hexadecimal.
///
/// They decide nothing: they tell where in a file the first difference is when only the manifest is at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks(Vec<[u8; 8]>);

impl Blocks {
    /// Bytes of a block; the last one of a file is shorter.
    pub const SIZE: usize = 64 * 1024;

    /// Of a file's bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let short = |block: &[u8]| {
            let hash: [u8; 32] = sha2::Sha256::digest(block).into();
            hash.first_chunk().copied().unwrap_or_default()
        };
        Self(bytes.chunks(Self::SIZE).map(short).collect())
    }

    /// How many.
    pub const fn count(&self) -> usize {
        self.0.len()
    }

    /// The number of the first block in which both differ, or that only one has.
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        let equal = self.0.iter().zip(&other.0).take_while(|(a, b)| a == b);
        let at = equal.count();
        (at < self.count().max(other.count())).then_some(at)
    }
}

impl fmt::Display for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|block| f.write_str(&hex::encode(block)))
    }
}

impl TryFrom<&str> for Blocks {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        let wrong = || InvalidName::new("block list", text, "16 hexadecimal digits a block");
        if !is_lower_hex(text) {
            return Err(wrong());
        }
        let bytes = hex::decode(text).map_err(|_| wrong())?;
        let (blocks, rest) = bytes.as_chunks::<8>();
        if rest.is_empty() {
            Ok(Self(blocks.to_vec()))
        } else {
            Err(wrong())
        }
    }
}

string_form!(Blocks, "^([0-9a-f]{16})*$");

fn is_lower_hex(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_one_spelling() {
        let text = Sha256::of(b"").to_string();
        assert_eq!(
            text,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert!(Sha256::try_from(text.as_str()).is_ok());
        for wrong in [
            "",
            &text[1..],
            &format!("{text}0"),
            &text.to_uppercase(),
            &format!(" {}", &text[1..]),
        ] {
            assert!(Sha256::try_from(wrong).is_err(), "{wrong:?}");
        }
        let nar = NarHash::from_bytes([7; 32]).to_string();
        assert!(NarHash::try_from(nar.as_str()).is_ok());
        assert!(NarHash::try_from(nar.trim_end_matches('=')).is_err());
        assert!(NarHash::try_from(&nar[7..]).is_err());
    }

    #[test]
    fn blocks_tell_where_and_never_that_unlike_files_are_alike() {
        let mut file = vec![3; 3 * Blocks::SIZE + 10];
        let before = Blocks::of(&file);
        assert_eq!(before.count(), 4);
        assert_eq!(before.first_difference(&before), None);
        file[Blocks::SIZE * 2] ^= 1;
        assert_eq!(before.first_difference(&Blocks::of(&file)), Some(2));
        assert_eq!(
            before.first_difference(&Blocks::of(&file[..Blocks::SIZE])),
            Some(1)
        );
        assert_eq!(
            Blocks::try_from(before.to_string().as_str()).unwrap(),
            before
        );
        assert!(Blocks::try_from("0011").is_err());
    }
}
