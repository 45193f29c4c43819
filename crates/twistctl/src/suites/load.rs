//! What services and Workers cost, measured on their release builds. Figures, not a verdict: they go into
//! `docs/performance.md`. But a day of the free plan must hold what `docs/edge-capacity.md` says.

use super::cargo::host;
use crate::build::{Profile, make};
use crate::run::watch;
use crate::suites::{Done, Tally};
use crate::tools;
use crate::ui::{self, Step};
use crate::{CtlError, Paths};
use std::path::Path;
use std::process::Command;

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
        .arg(&dist)
        .arg(paths.target_release().join("release/bare"));
    let services = shown(load, step)?;
    let cost = shown(node(paths, &dist, "edge/bench/cost.mjs")?, step)?;
    let day = shown(node(paths, &dist, "edge/bench/capacity.mjs")?, step)?;
    let all = [services, cost, day].into_iter();
    Ok(all.fold((Tally::default(), String::new()), |sum, one| {
        (sum.0.plus(one.0), format!("{}\n{}", sum.1, one.1))
    }))
}

/// A script that runs the Workers of `dist`.
fn node(paths: &Paths, dist: &Path, script: &str) -> Result<Command, CtlError> {
    let mut command = Command::new(tools::node(paths)?);
    command
        .arg(paths.root.join(script))
        .current_dir(&paths.root)
        .env("TWIST_CACHE_DIR", &paths.cache)
        .env("TWIST_NODE_MODULES", paths.node_modules())
        .env("TWIST_EDGE_DIST", dist);
    Ok(command)
}

/// Runs what prints tables, and shows them.
fn shown(command: Command, step: &Step) -> Done {
    let measured = watch(command, |line| step.detail(line))?;
    for line in measured.output.lines().filter(|line| line.starts_with('|')) {
        ui::say(line);
    }
    Ok((Tally::of(measured.ok), measured.output))
}
