//! One macro for the ids that are a fixed number of bytes, written as lower-case hex.

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $what:literal, $pattern:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Length of the text form: two hex digits a byte.
            pub const HEX_LEN: usize = $bytes * 2;

            /// Takes the raw bytes as they are.
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// The raw bytes.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl core::convert::TryFrom<&str> for $name {
            type Error = $crate::ids::IdError;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                let malformed = $crate::ids::IdError { what: $what };
                // One text form for each id: upper-case hex would give the same bytes a second name.
                if text.len() != Self::HEX_LEN || text.bytes().any(|b| b.is_ascii_uppercase()) {
                    return Err(malformed);
                }
                let mut bytes = [0u8; $bytes];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| malformed)?;
                Ok(Self(bytes))
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        $crate::ids::text_id!($name, {
            "type": "string",
            "pattern": $pattern,
            "examples": [hex::encode([0xa1; $bytes])],
        });
    };
}

pub(crate) use hex_id;
