//! Figures beside budgets.

use crate::CtlError;
use crate::budgets::measure::measure;
use crate::budgets::{Budget, Budgets, Measure};
use attest::{Artifact, Builder, Kind, Manifest};
use serde::Serialize;
use std::path::Path;

/// Every budget, and every artifact without one.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// In the order of the file, then of the manifest.
    pub lines: Vec<Line>,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Of what.
    pub artifact: String,
    /// What was counted, or should be; none when there is no budget at all.
    pub measure: Option<Measure>,
    /// Bytes; none when it could not be measured.
    pub figure: Option<u64>,
    /// The most that it may be, in bytes.
    pub max: Option<u64>,
    /// What to think of it.
    pub outcome: Outcome,
}

/// What to think of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Within its budget.
    Within,
    /// Over it.
    Over,
    /// Released, but nobody agreed on a budget.
    NoBudget,
    /// Only Nix, or only another system, makes it.
    NotMeasured,
    /// A release should have it, and does not.
    Missing,
}

impl Table {
    pub(super) fn fill(
        dist: &Path,
        manifest: &Manifest,
        budgets: &Budgets,
    ) -> Result<Self, CtlError> {
        let mut lines = Vec::new();
        for budget in &budgets.budget {
            let artifact = manifest.artifact(budget.artifact.as_str());
            let figure = match artifact {
                Some(artifact) => measure(dist, artifact, budget.measure)?,
                None => None,
            };
            let elsewhere = budget
                .system
                .is_some_and(|system| system != manifest.draft().system);
            let outcome = match figure {
                Some(figure) if figure > budget.max => Outcome::Over,
                Some(_) => Outcome::Within,
                None if elsewhere || is_of_nix(manifest, budget) => Outcome::NotMeasured,
                None => Outcome::Missing,
            };
            lines.push(Line {
                artifact: budget.artifact.to_string(),
                measure: Some(budget.measure),
                figure,
                max: Some(budget.max),
                outcome,
            });
        }
        let nix = manifest.draft().builder == Builder::Nix;
        for artifact in manifest.artifacts() {
            let mut own = budgets
                .budget
                .iter()
                .filter(|budget| budget.artifact == artifact.name)
                .map(|budget| budget.measure)
                .peekable();
            if own.peek().is_none() {
                lines.push(Line::without(artifact, None));
            } else if let Some(needed) = needed(artifact.kind).filter(|_| nix)
                && !own.any(|measure| measure == needed)
            {
                lines.push(Line::without(artifact, Some(needed)));
            }
        }
        Ok(Self { lines })
    }

    /// Whether nothing is over, missing, or without a budget.
    pub fn is_kept(&self) -> bool {
        self.lines.iter().all(Line::is_kept)
    }
}

/// What a build without Nix never has: images, and what a program needs at run time.
fn is_of_nix(manifest: &Manifest, budget: &Budget) -> bool {
    let name = budget.artifact.as_str();
    manifest.draft().builder == Builder::Host
        && match manifest.artifact(name) {
            None => name.starts_with("oci-"),
            Some(_) => budget.measure == Measure::Closure,
        }
}

/// The figure that matters most, so that a release may not go without a budget for it: what a host has to
/// take in for a program, what is uploaded of a Worker.
const fn needed(kind: Kind) -> Option<Measure> {
    match kind {
        Kind::Service | Kind::Tool => Some(Measure::Closure),
        Kind::Worker => Some(Measure::Gzip),
        _ => None,
    }
}

impl Line {
    fn without(artifact: &Artifact, measure: Option<Measure>) -> Self {
        Self {
            artifact: artifact.name.to_string(),
            measure,
            figure: None,
            max: None,
            outcome: Outcome::NoBudget,
        }
    }

    /// Whether this is as it should be.
    pub fn is_kept(&self) -> bool {
        matches!(self.outcome, Outcome::Within | Outcome::NotMeasured)
    }

    /// `auth-service        size         10 604 360   13 000 000    81 %`.
    pub fn text(&self) -> String {
        let number = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), grouped);
        let percent = match (self.figure, self.max) {
            (Some(figure), Some(max)) => format!("{} %", figure.saturating_mul(100) / max.max(1)),
            _ => String::new(),
        };
        let word = match self.outcome {
            Outcome::Within => "",
            Outcome::Over => "OVER its budget",
            Outcome::NoBudget => "has NO BUDGET: add one to budgets.toml",
            Outcome::NotMeasured => "not measured: not built here",
            Outcome::Missing => "MISSING in the release",
        };
        let measure = self
            .measure
            .map(|measure| measure.to_string())
            .unwrap_or_default();
        let line = format!(
            "{:<20} {measure:<8}{:>13}{:>13}{percent:>7}  {word}",
            self.artifact,
            number(self.figure),
            number(self.max),
        );
        line.trim_end().to_owned()
    }
}

/// `10 604 360`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
