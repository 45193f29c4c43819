//! What the services cost, measured on their release builds. Figures, not a verdict: they go into `docs/performance.md`.

use super::cargo::host;
use crate::Paths;
use crate::build::{Profile, make};
use crate::run::watch;
use crate::suites::{Done, Tally};
use crate::ui::{self, Step};

pub(super) fn measure(paths: &Paths, step: &Step) -> Done {
    step.detail("building for release");
    let dist = make(paths, &paths.cache.join("dist/release"), Profile::Release)?;
    let mut bare = host(paths);
    bare.env("CARGO_TARGET_DIR", paths.target_release()).args([
        "build",
        "--locked",
        "--release",
        "-p",
        "bare",
    ]);
    let built = watch(bare, |line| step.detail(line))?;
    if !built.ok {
        return Ok((Tally::failure(), built.output));
    }
    // --bin, not -p: with the features of the whole workspace, so that dependencies are compiled once.
    let mut load = host(paths);
    load.args(["run", "--locked", "--bin", "load", "--"])
        .arg(dist)
        .arg(paths.target_release().join("release/bare"));
    let measured = watch(load, |line| step.detail(line))?;
    for line in measured.output.lines().filter(|line| line.starts_with('|')) {
        ui::say(line);
    }
    Ok((Tally::of(measured.ok), measured.output))
}
