//! Sizes against what was agreed on.
//!
//! [`file`] reads the committed figures, [`measure`] takes those of a release folder, [`table`] compares.

mod file;
mod measure;
mod table;
#[cfg(test)]
mod tests;

pub use file::{Budget, Budgets, Measure};
pub use table::{Line, Outcome, Table};

use crate::CtlError;
use crate::build::MANIFEST;
use attest::Manifest;
use std::fs;
use std::path::Path;

/// Measures a release folder.
pub fn check(dist: &Path, budgets: &Budgets) -> Result<Table, CtlError> {
    let file = dist.join(MANIFEST);
    let bytes = fs::read(&file).map_err(CtlError::io("read", &file))?;
    let manifest = Manifest::parse(&bytes)
        .map_err(|error| CtlError::Help(format!("{}: {error}", file.display())))?;
    Table::fill(dist, &manifest, budgets)
}
