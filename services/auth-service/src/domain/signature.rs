//! A wallet's signature as text: base58 or base64, whichever decodes to 64 bytes.

use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine};
use domain::{WalletAddress, offchain};

/// 64 bytes are 64 to 88 characters of base58, 86 or 88 of base64.
const TEXT_LENGTH: std::ops::RangeInclusive<usize> = 64..=88;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The text is not 64 bytes in either encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a signature: base58 or base64 of 64 bytes")]
pub(crate) struct NotASignature;

/// The 64 bytes that a text can stand for: one way to read it or, for a few texts that are valid in both
/// encodings, two. The signature holds if one of them does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WalletSignature(Vec<[u8; 64]>);

impl WalletSignature {
    /// Whether `wallet` signed `message` of `host`: the bytes of the text as they are or, as hardware wallets do, as an
    /// off-chain message.
    pub(crate) fn holds(&self, wallet: &WalletAddress, message: &str, host: &str) -> bool {
        self.verifies(wallet, message.as_bytes())
            || offchain::candidates(message, wallet, host)
                .iter()
                .any(|bytes| self.verifies(wallet, bytes))
    }

    /// Whether one reading is the signature of these bytes by `wallet`.
    pub(crate) fn verifies(&self, wallet: &WalletAddress, bytes: &[u8]) -> bool {
        let public_key = wallet.as_bytes();
        self.0
            .iter()
            .any(|signature| domain::ed25519::verify(public_key, bytes, signature).is_ok())
    }
}

impl TryFrom<&str> for WalletSignature {
    type Error = NotASignature;

    fn try_from(text: &str) -> Result<Self, NotASignature> {
        if !TEXT_LENGTH.contains(&text.len()) {
            return Err(NotASignature);
        }
        let base58 = bs58::decode(text).into_vec().ok();
        let base64 = BASE64.decode(text).ok();
        let readings: Vec<[u8; 64]> = [base58, base64]
            .into_iter()
            .flatten()
            .filter_map(|bytes| bytes.try_into().ok())
            .collect();
        if readings.is_empty() {
            Err(NotASignature)
        } else {
            Ok(Self(readings))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    fn read(text: &str) -> Result<WalletSignature, NotASignature> {
        WalletSignature::try_from(text)
    }

    #[test]
    fn both_encodings_of_a_signature_are_accepted() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = WalletAddress::from_bytes(key.verifying_key().to_bytes());
        let signature = key.sign(b"message").to_bytes();
        let padded = base64::engine::general_purpose::STANDARD.encode(signature);
        let bare = padded.trim_end_matches('=').to_owned();
        for text in [bs58::encode(signature).into_string(), padded, bare] {
            let signature = read(&text).unwrap();
            assert!(signature.verifies(&public, b"message"), "{text}");
            assert!(!signature.verifies(&public, b"another"), "{text}");
        }
    }

    #[test]
    fn a_base64_text_that_is_also_base58_is_not_misread() {
        // 86 base64 characters without 0, I, O, l, + and /, with the leading ones that make base58 come to
        // 64 bytes too.
        let text = (0..)
            .map(|n| format!("{}{}A", "1".repeat(n % 8), "z".repeat(85 - n % 8)))
            .take(8)
            .find(|text| bs58::decode(text).into_vec().is_ok_and(|b| b.len() == 64))
            .expect("a text that is 64 bytes in both");
        let both = read(&text).unwrap();
        assert_eq!(both.0.len(), 2);
        assert_ne!(both.0[0], both.0[1]);
        assert_eq!(both.0[1].to_vec(), BASE64.decode(&text).unwrap());
    }

    #[test]
    fn a_text_that_is_no_signature_is_refused() {
        let short = bs58::encode([9; 63]).into_string();
        let long = bs58::encode([255; 65]).into_string();
        for bad in [
            "",
            "x",
            &short,
            &long,
            &"!".repeat(88),
            &"+".repeat(87),
            &"é".repeat(43),
        ] {
            assert_eq!(read(bad), Err(NotASignature), "{bad}");
        }
    }
}
