//! The audit log: hash-chained records, packed into segments, with a signed root for each day.
//!
//! - [`Record`], [`Append`], [`Appended`]: what is sent to the log's object and what it answers.
//! - [`Chained`]: a record in its place; [`segment`]: many of them as one immutable object.
//! - [`Root`]: what is signed once a day; [`Verifier`]: an auditor's walk over all of it.
//!
//! Byte layouts are in `docs/reference/audit.md`, the golden vector in `tests/vectors/audit-v1.json`. A text in a
//! record is a [`Word`]: bounded and of a small alphabet, so that nothing a client wrote gets in as it stands.

mod chain;
mod config;
mod day;
mod root;
pub mod segment;
mod verify;
mod word;

#[cfg(test)]
mod chain_tests;

pub use chain::{Chained, Hash, Head};
pub use config::Config;
pub use day::Day;
pub use root::{Root, SignedRoot, signing_key};
pub use verify::{Check, Finding, Flaw, Verdict, Verifier};
pub use word::{Word, WordError};

use domain::EpochMs;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The object's name; there is one chain.
pub const NAME: &str = "audit-0";
/// The origin of the object's URLs; nothing listens there.
pub const ORIGIN: &str = "https://audit";
/// Takes an [`Append`], answers an [`Appended`].
pub const APPEND: &str = "/append";
/// Answers a [`Status`].
pub const STATUS: &str = "/status";

/// Records one call can carry.
pub const MOST_RECORDS: usize = 64;
/// Details one record can carry.
pub const MOST_DETAILS: usize = 12;
/// Bytes of one call.
pub const MAX_APPEND_BYTES: usize = 128 * 1024;

/// What happened, as its sender saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// When, by the sender's clock.
    pub at: EpochMs,
    /// Who: a part of the platform, or a person's hashed id.
    pub actor: Word<64>,
    /// What was done, such as `firewall.block`.
    pub action: Word<64>,
    /// To what: a rule, a route, an id.
    pub object: Word<128>,
    /// How it ended.
    pub result: Word<32>,
    /// The request it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Word<64>>,
    /// More about it, under the names of [`Detail`] and no other.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<Detail, Word<128>>,
}

/// What else can be said about a record. There is none for headers, bodies, queries or addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Detail {
    /// Where in a request something was found: a place, never the text there.
    Where,
    /// How many.
    Count,
    /// ISO 3166-1 code.
    Country,
    /// The part of the platform.
    Component,
    /// SHA-256 of what the record is about, in hex.
    Digest,
    /// The running version.
    Version,
    /// Hash of the caller's network, salted and rotated.
    Client,
    /// A limit's name or number.
    Limit,
    /// HTTP method.
    Method,
    /// Whether it is enforced or only watched.
    Mode,
    /// A stable code.
    Code,
    /// A reason's name.
    Reason,
    /// The matched route's pattern.
    Route,
    /// The rule's id.
    Rule,
    /// How bad.
    Severity,
    /// HTTP status.
    Status,
}

impl Detail {
    /// Its name, as on the wire and in the hashed bytes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Where => "where",
            Self::Count => "count",
            Self::Country => "country",
            Self::Component => "component",
            Self::Digest => "digest",
            Self::Version => "version",
            Self::Client => "client",
            Self::Limit => "limit",
            Self::Method => "method",
            Self::Mode => "mode",
            Self::Code => "code",
            Self::Reason => "reason",
            Self::Route => "route",
            Self::Rule => "rule",
            Self::Severity => "severity",
            Self::Status => "status",
        }
    }
}

/// By name, not by the order of the code: a detail that is added later changes no old line or hash.
impl Ord for Detail {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}

impl PartialOrd for Detail {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Records to append, in order, all or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Append {
    /// At most [`MOST_RECORDS`].
    pub records: Vec<Record>,
}

/// Why a call's records are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Too many bytes.
    #[error("the message is too long")]
    TooLong,
    /// Not the JSON of an [`Append`].
    #[error("the message is not a list of records")]
    Unreadable,
    /// None, or more than [`MOST_RECORDS`].
    #[error("a call carries 1 to 64 records")]
    Count,
    /// A record with too many details.
    #[error("a record carries at most 12 details")]
    Details,
}

impl Append {
    /// Reads a call's body.
    pub fn parse(body: &[u8]) -> Result<Self, AppendError> {
        if body.len() > MAX_APPEND_BYTES {
            return Err(AppendError::TooLong);
        }
        let append: Self = serde_json::from_slice(body).map_err(|_| AppendError::Unreadable)?;
        if append.records.is_empty() || append.records.len() > MOST_RECORDS {
            return Err(AppendError::Count);
        }
        if append
            .records
            .iter()
            .any(|record| record.details.len() > MOST_DETAILS)
        {
            return Err(AppendError::Details);
        }
        Ok(append)
    }
}

/// The answer: the records are in the object's storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    /// The number of the last of them.
    pub seq: u64,
}

/// Where the log stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The last record's number.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
    /// Calls whose records are in no segment yet.
    pub waiting: u64,
    /// Segments that the bucket has not confirmed.
    pub segments: u64,
    /// Days whose root is not in the bucket.
    pub days: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
        let mut value = serde_json::json!({"records": [{
            "at": 1, "actor": "security-worker", "action": "firewall.block", "object": "sql-injection",
            "result": "blocked", "requestId": "req-0001", "details": {"route": "/api/v1/vau"}
        }]});
        change(&mut value);
        serde_json::to_vec(&value).unwrap()
    }

    #[test]
    fn nothing_gets_into_the_log_that_has_no_place_there() {
        assert!(Append::parse(&body(|_| ())).is_ok());
        for (why, bad) in [
            (
                "a header",
                body(|v| v["records"][0]["details"]["authorization"] = "x".into()),
            ),
            ("a field", body(|v| v["records"][0]["email"] = "x".into())),
            (
                "free text",
                body(|v| v["records"][0]["details"]["route"] = "a b".into()),
            ),
            (
                "a new line",
                body(|v| v["records"][0]["actor"] = "a\nb".into()),
            ),
            ("a quote", body(|v| v["records"][0]["object"] = "\"".into())),
            (
                "a long text",
                body(|v| v["records"][0]["actor"] = "a".repeat(65).into()),
            ),
            (
                "an empty actor",
                body(|v| v["records"][0]["actor"] = "".into()),
            ),
            ("no records", body(|v| v["records"] = serde_json::json!([]))),
            ("a number", body(|v| v["records"][0]["at"] = (-1).into())),
        ] {
            assert!(Append::parse(&bad).is_err(), "{why}");
        }
    }

    #[test]
    fn a_call_is_bounded() {
        let many = body(|v| {
            let one = v["records"][0].clone();
            v["records"] = vec![one; MOST_RECORDS + 1].into();
        });
        assert_eq!(Append::parse(&many), Err(AppendError::Count));
        let long = vec![b' '; MAX_APPEND_BYTES + 1];
        assert_eq!(Append::parse(&long), Err(AppendError::TooLong));
    }

    #[test]
    fn the_names_of_details_are_those_on_the_wire() {
        for detail in [Detail::Where, Detail::Rule, Detail::Status, Detail::Client] {
            let wire = serde_json::to_value(detail).unwrap();
            assert_eq!(wire, detail.name());
        }
    }
}
