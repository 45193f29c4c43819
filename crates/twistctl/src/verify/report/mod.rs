//! The whole answer, for a person and for a program.

mod json;
mod table;

use crate::verify::{Outcome, Row, SignatureReport};
use attest::{Builder, Manifest, Sha256};

/// Everything that was found out.
#[derive(Debug, Default)]
pub struct Report {
    /// The manifest; none when it could not be read.
    pub manifest: Option<Summary>,
    /// Its signature.
    pub signature: Option<SignatureReport>,
    /// One for each comparison.
    pub rows: Vec<Row>,
    /// What is wrong with the question.
    pub error: Option<String>,
}

/// Which manifest it was.
#[derive(Debug, Clone)]
pub struct Summary {
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
    /// The release.
    pub version: String,
    /// The commit.
    pub revision: Option<String>,
    /// Whether the files differed from the commit.
    pub dirty: bool,
    /// What made the artifacts.
    pub builder: Builder,
    /// The root over the artifacts.
    pub merkle_root: Sha256,
}

impl Summary {
    pub(super) fn of(bytes: &[u8], manifest: &Manifest) -> Self {
        let draft = manifest.draft();
        Self {
            sha256: Sha256::of(bytes),
            version: draft.version.clone(),
            revision: draft.source.revision.as_ref().map(ToString::to_string),
            dirty: draft.source.dirty,
            builder: draft.builder,
            merkle_root: *manifest.merkle_root(),
        }
    }
}

impl Report {
    /// The worst of it.
    pub fn outcome(&self) -> Outcome {
        if self.error.is_some() {
            return Outcome::BadInput;
        }
        let signature = self.signature.as_ref().map(SignatureReport::outcome);
        self.rows
            .iter()
            .map(|row| Outcome::from(&row.verdict))
            .chain(signature)
            .max()
            // Nothing was compared, so nothing is equal.
            .unwrap_or(Outcome::NotChecked)
    }

    /// For a person.
    pub fn to_text(&self) -> String {
        table::text(self)
    }

    /// What is wrong with the question, in one line for a terminal.
    pub(super) fn fail(&mut self, error: &str) {
        self.error = Some(table::clean(error));
    }

    /// For a program: see `docs/reference/verify.md`.
    pub fn to_json(&self) -> serde_json::Value {
        json::value(self)
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.rows
            .iter()
            .filter(|row| Outcome::from(&row.verdict) == outcome)
            .count()
    }
}
