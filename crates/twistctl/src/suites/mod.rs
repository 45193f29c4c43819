//! The test suites of `test`: each runs to its end, whatever the others did.

mod budgets;
mod cargo;
mod contracts;
mod docs;
mod edge;
mod fuzz;
mod hygiene;
mod images;
mod infra;
mod load;
mod nix;
mod reproduce;
mod shell;
mod tally;

pub use tally::{SuiteResult, Tally};

use crate::run::watch;
use crate::ui::Step;
use crate::{CtlError, Paths, ui};
use std::process::Command;
use std::time::Instant;

/// A suite by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Suite {
    /// Every tracked file can be read and is git's; no build output is tracked.
    Hygiene,
    /// Every Rust file is formatted.
    Fmt,
    /// The lints, for this machine and for wasm32.
    Clippy,
    /// Every script passes shellcheck.
    Shell,
    /// Every .nix file parses.
    NixSyntax,
    /// edge/terraform is formatted and valid (needs `OpenTofu` or Terraform, and says what it skips without).
    Infra,
    /// Links in the documentation lead somewhere; every error code is listed.
    Docs,
    /// Rust tests: units, and services against real PostgreSQL and Redis.
    Unit,
    /// The built Worker in workerd.
    Edge,
    /// Both services against their own OpenAPI documents, with schemathesis.
    Contracts,
    /// Journeys and faults on the whole platform.
    E2e,
    /// The flake evaluates (needs Nix).
    Nix,
    /// Every artifact, built for release, keeps to its size.
    Budgets,
    /// The journeys on the services of the container images, each in its own root (needs root; Nix or `TWIST_RELEASE`).
    Images,
    /// Everything built twice under unlike conditions gives equal bytes.
    Reproduce,
    /// kill -9 of the api under many more VAUs; what a request costs, on the release build.
    Load,
    /// Property tests and the contracts with many more cases; libFuzzer on what the edge reads (`TWIST_FUZZ_SECONDS` for
    /// each reader, 60 without).
    Fuzz,
    /// Journeys over and over, with restarts in between; money in traffic while what moves it is killed.
    Soak,
}

/// What a plain `test` runs: cheap answers first.
pub(crate) fn default_suites() -> Vec<Suite> {
    let mut suites = vec![
        Suite::Hygiene,
        Suite::Fmt,
        Suite::Shell,
        Suite::NixSyntax,
        Suite::Infra,
        Suite::Docs,
        Suite::Clippy,
        Suite::Unit,
        Suite::Edge,
        Suite::Contracts,
        Suite::E2e,
    ];
    if stack::binaries::on_path("nix").is_some() {
        suites.push(Suite::Nix);
    }
    suites
}

/// Runs one suite and shows what failed in full.
pub(crate) fn run(paths: &Paths, suite: Suite, soak_minutes: u32) -> SuiteResult {
    let started = Instant::now();
    let name = name(suite);
    let step = Step::start(name.clone());
    let done = match suite {
        Suite::Hygiene => hygiene::check(paths),
        Suite::Fmt => cargo::fmt(paths, &step),
        Suite::Clippy => Ok(cargo::clippy(paths, &step)),
        Suite::Shell => shell::check(paths, &step),
        Suite::NixSyntax => nix::syntax(paths),
        Suite::Infra => infra::check(paths, &step),
        Suite::Docs => docs::check(paths),
        Suite::Unit => cargo::unit(paths, &step),
        Suite::Edge => edge::test(paths, &step),
        Suite::Contracts => contracts::check(paths, &step),
        Suite::E2e => cargo::e2e(paths, &step),
        Suite::Nix => nix::flake(paths, &step),
        Suite::Budgets => budgets::check(paths, &step),
        Suite::Images => images::check(paths, &step),
        Suite::Reproduce => reproduce::check(paths, &step),
        Suite::Load => Ok(both(cargo::load(paths, &step), load::measure(paths, &step))),
        Suite::Fuzz => {
            let properties = cargo::fuzz(paths, &step);
            let readers = Ok(both(properties, fuzz::run(paths, &step)));
            Ok(both(readers, contracts::fuzz(paths, &step)))
        }
        Suite::Soak => cargo::soak(paths, &step, soak_minutes),
    };
    // A suite that could not run is a failure, not a suite without tests.
    let (tally, output) = done.unwrap_or_else(|error| (Tally::failure(), error.to_string()));
    if tally.failed == 0 {
        step.done();
    } else {
        step.failed();
        ui::say(&format!("\n{name}:\n{output}\n"));
    }
    SuiteResult {
        name,
        tally,
        took: started.elapsed(),
    }
}

fn name(suite: Suite) -> String {
    use clap::ValueEnum;
    suite
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

/// A suite's result: what it counted, and its output for the case of failure.
type Done = Result<(Tally, String), CtlError>;

/// Runs a tool whose exit code is the one thing it says.
fn one_check(command: Command, step: &Step) -> Done {
    let ended = watch(command, |line| step.detail(line))?;
    Ok((Tally::of(ended.ok), ended.output))
}

/// One after the other, whatever the first says.
fn both(first: Done, second: Done) -> (Tally, String) {
    let text = |done: Done| done.unwrap_or_else(|error| (Tally::failure(), error.to_string()));
    let ((one, one_text), (two, two_text)) = (text(first), text(second));
    (one.plus(two), format!("{one_text}\n{two_text}"))
}
