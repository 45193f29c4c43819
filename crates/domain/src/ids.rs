//! Identifiers. Each can only be made from a valid text, and prints as that same text.

use crate::hex_id::hex_id;
use core::fmt;

/// A text that is not a valid id of the named kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}")]
pub struct IdError {
    /// What was expected, in words a caller can act on.
    pub what: &'static str,
}

/// `Debug` as the text form, `FromStr`, and (with the features) serde as a validated string and its
/// JSON Schema.
macro_rules! text_id {
    ($name:ident, $schema:tt) => {
        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::ids::IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from(text)
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::try_from(text.as_str()).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use text_id;

/// A Solana wallet: an Ed25519 public key, written in base58 (32 to 44 characters).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WalletAddress([u8; 32]);

impl WalletAddress {
    /// Takes a public key as it is.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The public key.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<&str> for WalletAddress {
    type Error = IdError;

    fn try_from(text: &str) -> Result<Self, IdError> {
        let malformed = IdError {
            what: "wallet address: base58 of 32 bytes",
        };
        // 44 characters hold any 32 bytes; a longer text is refused before the quadratic decoder.
        if text.len() > 44 {
            return Err(malformed);
        }
        let mut bytes = [0u8; 32];
        let written = bs58::decode(text)
            .onto(&mut bytes[..])
            .map_err(|_| malformed)?;
        if written == 32 {
            Ok(Self(bytes))
        } else {
            Err(malformed)
        }
    }
}

impl fmt::Display for WalletAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bs58::encode(self.0).into_string())
    }
}

text_id!(WalletAddress, {
    "type": "string",
    "format": "solana-address",
    "pattern": "^[1-9A-HJ-NP-Za-km-z]{32,44}$",
    "examples": ["7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv"],
});

hex_id!(
    /// A device: its Ed25519 public key, 64 lower-case hex digits.
    DeviceId,
    32,
    "device id: 64 lower-case hex digits",
    "^[0-9a-f]{64}$"
);

hex_id!(
    /// Names a VAU: the first 16 bytes of a hash over who, which device, which site and when.
    /// Contains the device's key, so nobody can take the id of another's VAU.
    VauId,
    16,
    "VAU id: 32 lower-case hex digits",
    "^[0-9a-f]{32}$"
);

hex_id!(
    /// SHA-256 of a VAU's canonical bytes: two VAUs with one id and different fingerprints conflict.
    Fingerprint,
    32,
    "fingerprint: 64 lower-case hex digits",
    "^[0-9a-f]{64}$"
);

/// The site on which attention was given: 1 to 128 bytes of UTF-8 without control characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteId(String);

impl SiteId {
    /// The longest site id, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for SiteId {
    type Error = IdError;

    fn try_from(text: &str) -> Result<Self, IdError> {
        let valid = !text.is_empty()
            && text.len() <= Self::MAX_BYTES
            && !text.chars().any(char::is_control);
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError {
                what: "site id: 1 to 128 bytes without control characters",
            })
        }
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_id!(SiteId, { "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]+$", "examples": ["news.example"] });

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_wallet_has_one_text() {
        let text = "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv";
        assert_eq!(WalletAddress::try_from(text).unwrap().to_string(), text);
        for bad in [
            "",
            "0",
            &text[..40],
            &text.repeat(2),
            "l".repeat(44).as_str(),
        ] {
            assert!(
                WalletAddress::try_from(bad).is_err(),
                "{bad:?} was taken for a wallet"
            );
        }
    }

    #[test]
    fn upper_case_hex_is_not_a_second_name_for_a_device() {
        let text = "ab".repeat(32);
        assert!(DeviceId::try_from(text.as_str()).is_ok());
        assert!(DeviceId::try_from(text.to_uppercase().as_str()).is_err());
        assert!(DeviceId::try_from(&text[1..]).is_err());
        assert!(DeviceId::try_from("é".repeat(32).as_str()).is_err());
    }

    #[test]
    fn a_site_id_holds_no_control_characters() {
        assert!(SiteId::try_from("site-ünïcode-日本").is_ok());
        for bad in ["", "a\nb", "a\0", &"x".repeat(129)] {
            assert!(SiteId::try_from(bad).is_err());
        }
    }

    proptest! {
        #[test]
        fn every_key_survives_its_text_form(bytes: [u8; 32]) {
            let wallet = WalletAddress::from_bytes(bytes);
            prop_assert_eq!(WalletAddress::try_from(wallet.to_string().as_str()), Ok(wallet));
            let device = DeviceId::from_bytes(bytes);
            prop_assert_eq!(DeviceId::try_from(device.to_string().as_str()), Ok(device));
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text: String) {
            let _ = (WalletAddress::try_from(text.as_str()), DeviceId::try_from(text.as_str()), SiteId::try_from(text.as_str()));
        }
    }
}
