//! The suites that cargo runs.

use crate::build::{WASM_TARGET, wasm_cargo};
use crate::run::watch;
use crate::suites::{Done, Tally, both, one_check};
use crate::ui::Step;
use crate::{Paths, tools};
use std::process::Command;

/// The crates that build for wasm32 only.
const WASM_CRATES: [&str; 4] = [
    "durable-objects",
    "edge-runtime",
    "security-worker",
    "vau-processor",
];
/// Cases of each property test under `fuzz`; the default is 256.
const FUZZ_CASES: &str = "20000";
/// VAUs in flight under `load`; the e2e suite has 500.
const LOAD_VAUS: &str = "5000";
/// People who move money under `soak`, and how often each does; the e2e suite has 8 and 20.
const SOAK_PEOPLE: &str = "100";
const SOAK_ACTS: &str = "1000";
/// VAUs that the edge takes in by the batch under `soak`; the e2e suite has 4,000.
const SOAK_EDGE_VAUS: &str = "1000000";
/// How long Redis is away at first; in the e2e suite 2 s.
const SOAK_AWAY_SECONDS: &str = "60";

pub(super) fn fmt(paths: &Paths, step: &Step) -> Done {
    let mut command = host(paths);
    command.args(["fmt", "--all", "--check"]);
    one_check(command, step)
}

pub(super) fn clippy(paths: &Paths, step: &Step) -> (Tally, String) {
    let mut native = host(paths);
    native.args(["clippy", "--locked", "--all-targets"]);
    native.args(["--", "--deny", "warnings"]);
    let native = one_check(native, step);
    if tools::wasm_rustc().is_some() {
        step.detail("no clippy for wasm32 here");
        return both(native, Ok((Tally::default(), String::new())));
    }
    let mut wasm = wasm_cargo(paths);
    wasm.args(["clippy", "--locked", "--target", WASM_TARGET]);
    wasm.args(WASM_CRATES.iter().flat_map(|name| ["-p", name]));
    wasm.args(["--", "--deny", "warnings"]);
    both(native, one_check(wasm, step))
}

pub(super) fn unit(paths: &Paths, step: &Step) -> Done {
    let mut command = tests(paths);
    command
        .args(["--exclude", "e2e"])
        .env("RUST_TEST_THREADS", test_threads());
    counted(command, step)
}

/// Twice as many as cores: most tests of a service wait for a server or for time to pass. Whoever set a number wins.
fn test_threads() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::env::var("RUST_TEST_THREADS").unwrap_or_else(|_| (cores * 2).to_string())
}

pub(super) fn e2e(paths: &Paths, step: &Step) -> Done {
    counted(e2e_command(paths, ""), step)
}

pub(super) fn load(paths: &Paths, step: &Step) -> Done {
    let mut command = e2e_command(paths, "crash::");
    command.env("TWIST_E2E_VAUS", LOAD_VAUS);
    counted(command, step)
}

pub(super) fn soak(paths: &Paths, step: &Step, minutes: u32) -> Done {
    let mut command = e2e_command(paths, "soak::");
    command
        .args(["money::", "--nocapture"])
        .env("TWIST_E2E_SOAK_SECONDS", (minutes * 60).to_string())
        .env("TWIST_E2E_SOAK_PEOPLE", SOAK_PEOPLE)
        .env("TWIST_E2E_SOAK_ACTS", SOAK_ACTS)
        .env("TWIST_E2E_EDGE_VAUS", SOAK_EDGE_VAUS)
        .env("TWIST_E2E_SOAK_AWAY_SECONDS", SOAK_AWAY_SECONDS);
    counted(command, step)
}

pub(super) fn fuzz(paths: &Paths, step: &Step) -> Done {
    let mut command = tests(paths);
    command
        .args(["--exclude", "e2e", "--lib", "--bins"])
        .env("PROPTEST_CASES", FUZZ_CASES);
    counted(command, step)
}

/// The same packages for every run but those excluded, so that dependencies are compiled once.
fn tests(paths: &Paths) -> Command {
    let mut command = host(paths);
    command.args(["test", "--locked", "--no-fail-fast", "--workspace"]);
    command.args(WASM_CRATES.iter().flat_map(|name| ["--exclude", name]));
    command
}

/// The tests build the programs they run.
fn e2e_command(paths: &Paths, filter: &str) -> Command {
    let mut command = tests(paths);
    command.args(["--test", "e2e", "--", filter]);
    command
}

pub(super) fn host(paths: &Paths) -> Command {
    let mut command = tools::cargo(paths);
    command.env("TWIST_ROOT", &paths.root);
    command
}

fn counted(command: Command, step: &Step) -> Done {
    let ended = watch(command, |line| step.detail(line))?;
    let tally = Tally::of_cargo(&ended.output).checked(ended.ok);
    Ok((tally, ended.output))
}
