//! Records as one immutable object: a header line, then a line for each record.

use super::{Day, Hash};
use domain::bytes::sha256;
use serde::{Deserialize, Serialize};

/// Lines of records that are packed before a segment is full.
pub const MAX_SEGMENT_BYTES: usize = 256 * 1024;
/// In front of every object's key.
pub const PREFIX: &str = "audit/";
/// In front of the keys of roots.
pub const ROOTS: &str = "audit/roots/";

const KIND: &str = "twist-audit-segment-v1";

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Header {
    kind: String,
    /// The UTC day on which the log took the records.
    pub day: Day,
    /// The number of the first record.
    pub first_seq: u64,
    /// Records.
    pub count: u64,
    /// The hash of the segment before, zero for the first.
    pub prev_segment_hash: Hash,
}

impl Header {
    /// A header of this version.
    pub fn new(day: Day, first_seq: u64, count: u64, prev_segment_hash: Hash) -> Self {
        Self {
            kind: KIND.to_owned(),
            day,
            first_seq,
            count,
            prev_segment_hash,
        }
    }

    /// The line, without its end. Every field prints as JSON that needs no escaping.
    pub fn line(&self) -> String {
        let Self {
            kind,
            day,
            first_seq,
            count,
            prev_segment_hash,
        } = self;
        format!(
            r#"{{"kind":"{kind}","day":"{day}","firstSeq":{first_seq},"count":{count},"prevSegmentHash":"{prev_segment_hash}"}}"#
        )
    }

    /// Reads a line; anything but what [`Self::line`] writes is none.
    pub fn parse(line: &str) -> Option<Self> {
        let header: Self = serde_json::from_str(line).ok()?;
        (header.kind == KIND && header.line() == line).then_some(header)
    }

    /// The number of the last record.
    pub const fn last_seq(&self) -> u64 {
        self.first_seq.saturating_add(self.count).saturating_sub(1)
    }

    /// The object's key.
    pub fn key(&self) -> String {
        key(self.day, self.first_seq)
    }
}

/// The key of the segment whose first record is `first_seq`: the order of keys is the order of the chain.
pub fn key(day: Day, first_seq: u64) -> String {
    format!("{PREFIX}{day}/{first_seq:012}")
}

/// The hash of a segment: SHA-256 of the object's bytes.
pub fn hash(body: &[u8]) -> Hash {
    Hash(sha256(body))
}

/// The object's bytes: the header's line, then the records' lines.
pub fn body(header: &Header, lines: &[String]) -> String {
    let length = lines.iter().map(|line| line.len() + 1).sum::<usize>();
    let mut body = String::with_capacity(length + 256);
    body.push_str(&header.line());
    body.push('\n');
    for line in lines {
        body.push_str(line);
        body.push('\n');
    }
    body
}
