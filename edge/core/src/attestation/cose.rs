//! Public keys as authenticators write them (RFC 9052, RFC 9053): the three algorithms that are verified here.

use super::Reason;
use super::cbor::Reader;
use std::collections::BTreeMap;

/// The only public exponent in use.
const EXPONENT: [u8; 3] = [1, 0, 1];
/// Bytes of an RSA modulus: 2,048 to 4,096 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;
/// Labels of a key: kty, kid, alg, `key_ops`, base IV, and three of its kind.
const MOST_LABELS: u64 = 8;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoseKey {
    /// ECDSA on P-256 with SHA-256.
    Es256 {
        /// The point.
        x: [u8; 32],
        /// The point.
        y: [u8; 32],
    },
    /// Ed25519.
    EdDsa {
        /// The key.
        x: [u8; 32],
    },
    /// RSASSA-PKCS1-v1_5 with SHA-256 and the exponent 65,537.
    Rs256 {
        /// The modulus, without zeros in front.
        n: Vec<u8>,
    },
}

#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Integer(i64),
    Bytes(&'a [u8]),
    Other,
}

impl CoseKey {
    /// Reads a key that fills `bytes`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Reason> {
        let mut reader = Reader::new(bytes);
        let key = Self::read(&mut reader)?;
        reader.end()?;
        Ok(key)
    }

    /// The algorithm's name.
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::Es256 { .. } => "ES256",
            Self::EdDsa { .. } => "EdDSA",
            Self::Rs256 { .. } => "RS256",
        }
    }

    /// Reads a key and leaves what comes after it.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Reason> {
        let entries = reader.map()?;
        if entries > MOST_LABELS {
            return Err(Reason::Malformed);
        }
        let mut values = BTreeMap::new();
        for _ in 0..entries {
            let label = reader.integer()?;
            let mut ahead = *reader;
            let value = if let Ok(n) = ahead.integer() {
                *reader = ahead;
                Value::Integer(n)
            } else {
                ahead = *reader;
                if let Ok(bytes) = ahead.bytes() {
                    *reader = ahead;
                    Value::Bytes(bytes)
                } else {
                    reader.skip()?;
                    Value::Other
                }
            };
            if values.insert(label, value).is_some() {
                return Err(Reason::Malformed);
            }
        }
        Self::of(&values)
    }

    fn of(values: &BTreeMap<i64, Value<'_>>) -> Result<Self, Reason> {
        let integer = |label| match values.get(&label) {
            Some(Value::Integer(n)) => Ok(*n),
            _ => Err(Reason::Malformed),
        };
        let bytes = |label| match values.get(&label) {
            Some(Value::Bytes(bytes)) => Ok(*bytes),
            _ => Err(Reason::Malformed),
        };
        let coordinate = |label| <[u8; 32]>::try_from(bytes(label)?).map_err(|_| Reason::Malformed);
        match (integer(1)?, integer(3)?) {
            (2, -7) if integer(-1)? == 1 => Ok(Self::Es256 {
                x: coordinate(-2)?,
                y: coordinate(-3)?,
            }),
            (1, -8) if integer(-1)? == 6 => Ok(Self::EdDsa { x: coordinate(-2)? }),
            (3, -257) => {
                let n = bytes(-1)?;
                let whole =
                    MODULUS.contains(&n.len()) && n.first().is_some_and(|first| *first != 0);
                if whole && bytes(-2)? == EXPONENT {
                    Ok(Self::Rs256 { n: n.to_vec() })
                } else {
                    Err(Reason::UnsupportedKey)
                }
            }
            _ => Err(Reason::UnsupportedKey),
        }
    }
}
