//! The one-time value of a sign-in.

use std::fmt;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Enough base62 characters for 128 bits.
const LENGTH: usize = 22;

/// 128 random bits as 22 base62 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Nonce(String);

impl Nonce {
    /// A new one from the operating system's generator.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0u8; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self::from_bits(u128::from_le_bytes(bytes)))
    }

    /// The text of these bits.
    pub(crate) fn from_bits(mut bits: u128) -> Self {
        let text = (0..LENGTH)
            .map(|_| {
                let digit = usize::try_from(bits % 62).unwrap_or_default();
                bits /= 62;
                ALPHABET.get(digit).copied().map_or('0', char::from)
            })
            .collect();
        Self(text)
    }

    /// The text form.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is not of the form of a nonce, so none that was ever given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a nonce")]
pub(crate) struct NotANonce;

impl TryFrom<&str> for Nonce {
    type Error = NotANonce;

    fn try_from(text: &str) -> Result<Self, NotANonce> {
        if text.len() == LENGTH && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotANonce)
        }
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_bit_patterns_share_a_text() {
        let patterns = [0, 1, 61, 62, 1 << 64, u128::MAX - 1, u128::MAX];
        let texts: HashSet<String> = patterns.map(|bits| Nonce::from_bits(bits).0).into();
        assert_eq!(texts.len(), patterns.len());
        assert!(
            texts
                .iter()
                .all(|text| Nonce::try_from(text.as_str()).is_ok())
        );
    }

    #[test]
    fn a_text_that_would_reach_another_key_is_no_nonce() {
        for bad in [
            "",
            "*",
            "a b",
            "0123456789ABCDEFGHIJK:",
            "0123456789ABCDEFGHIJKLM",
        ] {
            assert_eq!(Nonce::try_from(bad), Err(NotANonce), "{bad}");
        }
    }
}
