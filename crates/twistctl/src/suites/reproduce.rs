//! Two builds of one commit, byte for byte.

use crate::Paths;
use crate::reproduce;
use crate::suites::{Done, Tally};
use crate::ui::{self, Step};

pub(super) fn check(paths: &Paths, step: &Step) -> Done {
    let report = reproduce::run(paths, step)?;
    // The hashes are the result, also when they are equal.
    ui::say(&report.text);
    let tally = report.files.iter().map(|file| Tally::of(file.is_equal()));
    let tally = tally.fold(Tally::default(), Tally::plus).checked(true);
    let differing = report.files.iter().filter(|file| !file.is_equal());
    let lines: Vec<String> = differing.map(reproduce::Compared::line).collect();
    Ok((tally, lines.join("\n")))
}
