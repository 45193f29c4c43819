//! Short texts that can be hashed, stored and printed without escaping.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// 1 to `MAX` of `A-Z a-z 0-9` and `. _ : / @ * + = { } -`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word<const MAX: usize>(String);

/// A text that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a word: 1 to {max} of A-Z a-z 0-9 . _ : / @ * + = {{ }} -")]
pub struct WordError {
    max: usize,
}

impl<const MAX: usize> Word<MAX> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> TryFrom<String> for Word<MAX> {
    type Error = WordError;

    fn try_from(text: String) -> Result<Self, WordError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:/@*+={}-".contains(&b);
        if (1..=MAX).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(WordError { max: MAX })
        }
    }
}

impl<const MAX: usize> TryFrom<&str> for Word<MAX> {
    type Error = WordError;

    fn try_from(text: &str) -> Result<Self, WordError> {
        Self::try_from(text.to_owned())
    }
}

impl<const MAX: usize> fmt::Display for Word<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> fmt::Debug for Word<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const MAX: usize> Serialize for Word<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Word<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
