//! `budgets.toml`.

use crate::CtlError;
use attest::{ArtifactName, System};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

/// The committed figures.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budgets {
    /// One for each thing that is measured.
    #[serde(default)]
    pub budget: Vec<Budget>,
}

/// How large something may be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Of what.
    pub artifact: ArtifactName,
    /// What is counted.
    pub measure: Measure,
    /// The most that it may be, in bytes.
    pub max: u64,
    /// Why so much, and no more.
    pub reason: String,
    /// The only system that releases it; any when none.
    pub system: Option<System>,
}

/// What is counted, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Every file of the artifact: a program, a bill of materials, or an image as it is downloaded.
    Size,
    /// Every file compressed by itself, as a Worker is counted.
    Gzip,
    /// Everything that it needs at run time, itself included, as Nix archives.
    Closure,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "size",
            Self::Gzip => "gzip",
            Self::Closure => "closure",
        })
    }
}

impl Budgets {
    /// Reads the file. Nothing may be in it twice, or without a reason.
    pub fn read(path: &Path) -> Result<Self, CtlError> {
        let text = std::fs::read_to_string(path).map_err(CtlError::io("read", path))?;
        Self::parse(&text).map_err(|reason| CtlError::Help(format!("{}: {reason}", path.display())))
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let budgets: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut seen = BTreeSet::new();
        for budget in &budgets.budget {
            let Budget {
                artifact, measure, ..
            } = budget;
            if budget.reason.trim().is_empty() {
                return Err(format!(
                    "the budget of {artifact} ({measure}) gives no reason"
                ));
            }
            if !seen.insert((artifact.as_str(), *measure)) {
                return Err(format!("{artifact} ({measure}) has two budgets"));
            }
        }
        Ok(budgets)
    }
}
