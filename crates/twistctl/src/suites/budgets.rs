//! The release build keeps to its budgets.

use crate::Paths;
use crate::budgets::{Budgets, Line, check as measure};
use crate::build::{Profile, make};
use crate::suites::{Done, Tally};
use crate::ui::{self, Step};

pub(super) fn check(paths: &Paths, step: &Step) -> Done {
    step.detail("building for release");
    let dist = make(paths, &paths.cache.join("dist/release"), Profile::Release)?;
    let table = measure(&dist, &Budgets::read(&paths.root.join("budgets.toml"))?)?;
    for line in &table.lines {
        ui::say(&line.text());
    }
    let tally = table.lines.iter().map(|line| Tally::of(line.is_kept()));
    let broken = table.lines.iter().filter(|line| !line.is_kept());
    let text: Vec<String> = broken.map(Line::text).collect();
    Ok((
        tally.fold(Tally::default(), Tally::plus).checked(true),
        text.join("\n"),
    ))
}
