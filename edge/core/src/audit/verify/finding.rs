//! What is found.

use crate::audit::{Day, Head};
use std::fmt;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// Records or a segment are not there.
    Missing,
    /// Records or segments are not where they belong.
    Reordered,
    /// A byte is not the one that was written.
    Altered,
    /// The end is not there.
    Truncated,
    /// A root that the key did not sign, or that does not follow the one before.
    ForgedRoot,
    /// A day that has ended has no root.
    MissingRoot,
    /// An object that does not belong to the log.
    Foreign,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Reordered => "reordered",
            Self::Altered => "altered",
            Self::Truncated => "truncated",
            Self::ForgedRoot => "forged root",
            Self::MissingRoot => "missing root",
            Self::Foreign => "foreign",
        })
    }
}

/// A flaw and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub flaw: Flaw,
    /// The object.
    pub key: String,
    /// More, for a person.
    pub detail: String,
}

/// What the walk has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Records that were read.
    pub records: u64,
    /// Segments that were read.
    pub segments: u64,
    /// Roots that hold.
    pub roots: u64,
    /// The last day with a root that holds.
    pub signed_through: Option<Day>,
    /// Where the chain ends.
    pub head: Head,
    /// Everything that is wrong; a log without any is whole.
    pub findings: Vec<Finding>,
}
