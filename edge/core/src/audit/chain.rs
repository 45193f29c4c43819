//! A record in its place: numbered, and hashed together with the one before.

use super::Record;
use domain::bytes::Canonical;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A SHA-256, written in 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Before the first of anything.
    pub const ZERO: Self = Self([0; 32]);
}

/// A text that is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 64 lower-case hex digits")]
pub struct HashError;

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| HashError)?;
        let hash = Self(bytes);
        if hash.to_string() == text {
            Ok(hash)
        } else {
            Err(HashError)
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where the chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last record's number; 0 when there is none.
    pub seq: u64,
    /// The last record's hash.
    pub hash: Hash,
}

impl Head {
    /// Of an empty log.
    pub const START: Self = Self {
        seq: 0,
        hash: Hash::ZERO,
    };

    /// Puts `record` at the end.
    pub fn append(&mut self, record: Record) -> Chained {
        let mut chained = Chained {
            seq: self.seq.saturating_add(1),
            record,
            prev_hash: self.hash,
            hash: Hash::ZERO,
        };
        chained.hash = chained.computed();
        *self = Self {
            seq: chained.seq,
            hash: chained.hash,
        };
        chained
    }
}

/// A record with its number and hashes; one line of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chained {
    /// 1, 2, 3 …
    pub seq: u64,
    /// What happened.
    #[serde(flatten)]
    pub record: Record,
    /// The hash of the record before.
    pub prev_hash: Hash,
    /// Of this one.
    pub hash: Hash,
}

impl Chained {
    /// The hash that belongs to what the record says.
    pub fn computed(&self) -> Hash {
        Hash(domain::bytes::sha256(&self.canonical()))
    }

    /// The bytes that are hashed.
    pub fn canonical(&self) -> Vec<u8> {
        let record = &self.record;
        let request_id = record.request_id.as_ref().map_or("", |id| id.as_str());
        let count = u32::try_from(record.details.len()).unwrap_or(u32::MAX);
        let head = Canonical::tagged("twist-audit-record-v1")
            .u64(self.seq)
            .u64(record.at.get())
            .lp(record.actor.as_str().as_bytes())
            .lp(record.action.as_str().as_bytes())
            .lp(record.object.as_str().as_bytes())
            .lp(record.result.as_str().as_bytes())
            .lp(request_id.as_bytes())
            .u32(count);
        record
            .details
            .iter()
            .fold(head, |bytes, (detail, value)| {
                bytes
                    .lp(detail.name().as_bytes())
                    .lp(value.as_str().as_bytes())
            })
            .fixed(&self.prev_hash.0)
            .into_bytes()
    }
}
