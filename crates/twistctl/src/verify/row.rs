//! One line of the answer.

use attest::{Artifact, Verdict};
use std::path::PathBuf;

/// What a verdict rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// Every byte was read here, and the hashes were taken of them.
    Bytes,
    /// The service said so of itself, and nobody looked.
    Reported,
}

impl Evidence {
    /// As it is printed.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Bytes => "recomputed from bytes",
            Self::Reported => "reported by the service itself",
        }
    }
}

/// What came of one comparison.
#[derive(Debug, Clone)]
pub struct Row {
    /// The artifact of the manifest; none when the row is about something that belongs to none.
    pub artifact: Option<String>,
    /// The option that asked for it, without the dashes.
    pub leg: &'static str,
    /// What was looked at: a path, a URL.
    pub subject: String,
    /// The answer.
    pub verdict: Verdict,
    /// What the answer rests on.
    pub evidence: Evidence,
    /// Said beside the verdict.
    pub note: Option<String>,
    /// The two files that differ, good one first, when both are at hand.
    pub files: Option<(PathBuf, PathBuf)>,
    /// What diffoscope says of them.
    pub diffoscope: Vec<String>,
}

impl Row {
    /// A row about an artifact.
    pub fn new(leg: &'static str, artifact: &Artifact, subject: impl Into<String>) -> Self {
        Self {
            artifact: Some(artifact.name.to_string()),
            ..Self::of_none(leg, subject)
        }
    }

    /// A row about something that belongs to no artifact.
    pub fn of_none(leg: &'static str, subject: impl Into<String>) -> Self {
        Self {
            artifact: None,
            leg,
            subject: subject.into(),
            verdict: Verdict::NotChecked("nobody looked".to_owned()),
            evidence: Evidence::Bytes,
            note: None,
            files: None,
            diffoscope: Vec::new(),
        }
    }

    pub(crate) fn verdict(self, verdict: Verdict) -> Self {
        Self { verdict, ..self }
    }

    pub(crate) fn not_checked(self, why: impl Into<String>) -> Self {
        self.verdict(Verdict::NotChecked(why.into()))
    }

    pub(crate) fn missing(self, what: impl Into<String>) -> Self {
        self.verdict(Verdict::Missing(what.into()))
    }

    pub(crate) const fn evidence(mut self, evidence: Evidence) -> Self {
        self.evidence = evidence;
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}
