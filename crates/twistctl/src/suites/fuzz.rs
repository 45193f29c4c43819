//! libFuzzer on what the edge reads from outside: `edge/fuzz`, built with the compiler's coverage counters. Needs a
//! C++ compiler.

use super::cargo::host;
use crate::run::{ask_in, watch};
use crate::suites::{Done, Tally};
use crate::ui::{self, Step};
use crate::{CtlError, Paths};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How long each reader is tried.
const SECONDS_ENV: &str = "TWIST_FUZZ_SECONDS";
const SECONDS: u32 = 60;
/// An input that takes longer is a failure, in seconds.
const SLOW: u32 = 5;
/// The longest input that is made up.
const MAX_BYTES: u32 = 4_096;

/// Counters at every edge and at every comparison, as libFuzzer reads them. None of it needs a nightly compiler.
const COUNTERS: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];

/// Each reader for [`SECONDS_ENV`].
pub(super) fn run(paths: &Paths, step: &Step) -> Done {
    let seconds = match env::var(SECONDS_ENV) {
        Ok(text) => match text.parse::<u32>() {
            Ok(seconds) if seconds > 0 => seconds,
            _ => return Ok(failed(format!("{SECONDS_ENV} is not a number of seconds"))),
        },
        Err(_) => SECONDS,
    };
    // Named, so that the counters are not put into build scripts, which run without libFuzzer.
    let Some(triple) = ask_in(&paths.root, "rustc", &["-vV"]).and_then(|text| of_host(&text))
    else {
        return Ok(failed("rustc does not say what it is for".to_owned()));
    };
    let target_dir = paths.cache.join("target-fuzz");
    let mut compile = host(paths);
    compile
        .args(["build", "--locked", "-p", "edge-fuzz", "--features"])
        .args(["libfuzzer", "--profile", "fuzz", "--target", &triple])
        .env("CARGO_TARGET_DIR", &target_dir)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_INCREMENTAL")
        .env("RUSTFLAGS", COUNTERS.join(" "));
    let built = watch(compile, |line| step.detail(line))?;
    if !built.ok {
        return Ok(failed(built.output));
    }
    let program = target_dir.join(&triple).join("fuzz/edge-fuzz");
    let mut all = (Tally::default(), String::new());
    for corpus in folders(&paths.root.join("edge/fuzz/corpus"))? {
        let (tally, output) = one(paths, step, &program, &corpus, seconds)?;
        all = (all.0.plus(tally), format!("{}\n{output}", all.1));
    }
    Ok((all.0.checked(true), all.1))
}

fn one(paths: &Paths, step: &Step, program: &Path, corpus: &Path, seconds: u32) -> Done {
    let name = corpus.file_name().unwrap_or_default().to_string_lossy();
    // What is found is kept, for the next run and for whoever adds it to the corpus.
    let found = paths.cache.join("fuzz").join(name.as_ref());
    fs::create_dir_all(&found).map_err(CtlError::io("make", &found))?;
    let mut command = Command::new(program);
    command
        .arg(&found)
        .arg(corpus)
        .arg(format!("-artifact_prefix={}-", found.display()))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={SLOW}"))
        .arg(format!("-max_len={MAX_BYTES}"))
        .arg("-print_final_stats=1")
        .env("TWIST_FUZZ_TARGET", name.as_ref());
    let ended = watch(command, |line| step.detail(&format!("{name}: {line}")))?;
    let tried = executions(&ended.output).unwrap_or_default();
    ui::say(&format!("    {name}: {tried} inputs in {seconds} s"));
    let ok = ended.ok && tried > 0;
    let output = if ok { String::new() } else { ended.output };
    Ok((Tally::of(ok), output))
}

fn failed(why: String) -> (Tally, String) {
    (Tally::failure(), why)
}

/// Every target has a folder, which a test of `edge-fuzz` sees to.
fn folders(corpora: &Path) -> Result<Vec<PathBuf>, CtlError> {
    let entries = fs::read_dir(corpora).map_err(CtlError::io("read", corpora))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    Ok(folders)
}

/// The line `host: x86_64-unknown-linux-gnu` of `rustc -vV`.
fn of_host(version: &str) -> Option<String> {
    let mut lines = version.lines();
    lines.find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
}

/// From libFuzzer's statistics.
fn executions(output: &str) -> Option<u64> {
    let line = |line: &str| {
        line.strip_prefix("stat::number_of_executed_units:")?
            .trim()
            .parse()
            .ok()
    };
    output.lines().find_map(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tools_print_is_read() {
        let version =
            "rustc 1.95.0\nbinary: rustc\nhost: aarch64-unknown-linux-gnu\nrelease: 1.95.0\n";
        assert_eq!(
            of_host(version).as_deref(),
            Some("aarch64-unknown-linux-gnu")
        );
        let statistics =
            "Done 12 runs\nstat::number_of_executed_units: 12345\nstat::peak_rss_mb: 40\n";
        assert_eq!(executions(statistics), Some(12_345));
        assert_eq!(executions("ERROR: libFuzzer"), None);
    }
}
