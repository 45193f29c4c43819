//! The checkout: every tracked file can be read and is git's, and no build output is tracked.

use crate::repository::{self, Edits, Report};
use crate::suites::{Done, Tally};
use crate::{Paths, ui};

pub(super) fn check(paths: &Paths) -> Done {
    let report = repository::check(&paths.root, Edits::here())?;
    if let Report::NotChecked(_) = report {
        ui::note(&format!("    hygiene {}", report.text()));
    }
    Ok((Tally::of(report.is_good()), report.text()))
}
