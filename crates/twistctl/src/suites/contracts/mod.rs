//! Both services against their own documents: schemathesis sends what the documents admit and what they do not, and
//! looks whether the answers are as documented.

mod python;
mod report;
mod world;

use crate::Paths;
use crate::run::watch;
use crate::suites::{Done, Tally};
use crate::ui::{self, Step};
use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use world::World;

/// How much is tried.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Cases that are made up for each operation, beside those of its examples and limits.
    examples: &'static str,
    /// Sessions that may be ended on the way.
    sessions: usize,
    /// With fewer cases in a service the suite fails: something was not tried.
    at_least: u64,
}

const QUICK: Effort = Effort {
    examples: "20",
    sessions: 100,
    at_least: 200,
};
const THOROUGH: Effort = Effort {
    examples: "200",
    sessions: 400,
    at_least: 2_000,
};

/// Set, [`check`] tries as much as [`fuzz`]: for whoever wants that without the rest of `test fuzz`.
const THOROUGH_ENV: &str = "TWIST_CONTRACTS_THOROUGH";

/// Part of every `test`.
pub(super) fn check(paths: &Paths, step: &Step) -> Done {
    if env::var_os(THOROUGH_ENV).is_some() {
        return fuzz(paths, step);
    }
    run(paths, step, QUICK)
}

/// Part of `test fuzz`.
pub(super) fn fuzz(paths: &Paths, step: &Step) -> Done {
    run(paths, step, THOROUGH)
}

fn run(paths: &Paths, step: &Step, effort: Effort) -> Done {
    let folder = paths.root.join("tests/contracts");
    let python = python::environment(paths, &folder.join("requirements.txt"), step)?;
    let world = World::start(paths, effort.sessions, step)?;
    let mut tally = Tally::default();
    let mut output = String::new();
    let mut documents = Vec::new();
    for (service, url) in world.services() {
        step.detail(&format!("{service}: fetching the document"));
        let document = world.fetch(service, &url)?;
        let report = world.folder.path().join(format!("{service}.report.json"));
        let mut command = python.command("schemathesis.cli");
        command
            .args(["--config-file", "schemathesis.toml", "--no-color", "run"])
            .arg(format!("{url}/openapi.json"))
            .args(["--url", &url])
            .args(["--max-examples", effort.examples, "--workers", "1"])
            .arg("--report-json-path")
            .arg(&report)
            .current_dir(&folder)
            .env(
                "HYPOTHESIS_STORAGE_DIRECTORY",
                world.folder.path().join("hypothesis"),
            )
            .envs(world.environment(service)?);
        let ended = watch(command, |line| step.detail(&format!("{service}: {line}")))?;
        let counted = report::read(&report);
        ui::say(&format!(
            "    {service}: {} cases of {} operations",
            counted.cases, counted.operations
        ));
        output.push_str(&ended.output);
        let enough = counted.whole && counted.cases >= effort.at_least;
        if !enough {
            let _ = writeln!(
                output,
                "{service}: every operation and {} cases or more were expected",
                effort.at_least
            );
        }
        tally = tally
            .plus(Tally {
                passed: if ended.ok { counted.cases } else { 0 },
                failed: u64::from(!ended.ok),
            })
            .plus(Tally::of(enough));
        documents.push(document);
    }
    let valid = validate(&python, &folder, &documents)?;
    output.push_str(&valid.1);
    Ok((tally.plus(valid.0).checked(true), output))
}

/// Whether the documents are what the specification calls valid.
fn validate(python: &python::Python, folder: &Path, documents: &[PathBuf]) -> Done {
    let mut command: Command = python.script(&folder.join("validate.py"));
    command.args(documents);
    let ended = watch(command, |_| {})?;
    Ok((Tally::of(ended.ok), ended.output))
}
