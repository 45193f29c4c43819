//! `test`.

use crate::suites::{self, Suite};
use crate::{CtlError, Paths, ui};

/// Options of `test`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The suites to run; without any, all but `nix` (unless Nix is here), `budgets`, `images`, `reproduce`, `soak`,
    /// `fuzz` and `load`.
    #[arg(value_enum)]
    suites: Vec<Suite>,
    /// How long `soak` runs.
    #[arg(long, default_value_t = 5, value_name = "N")]
    soak_minutes: u32,
}

/// Runs the suites, every one of them, and sums up. Succeeds when nothing failed.
pub fn run(paths: &Paths, args: &Args) -> Result<bool, CtlError> {
    let wanted = if args.suites.is_empty() {
        suites::default_suites()
    } else {
        args.suites.clone()
    };
    let mut results = Vec::new();
    for suite in wanted {
        results.push(suites::run(paths, suite, args.soak_minutes));
    }
    ui::say("");
    for result in &results {
        ui::say(&result.line());
    }
    let passed: u64 = results.iter().map(|result| result.tally.passed).sum();
    let failed: u64 = results.iter().map(|result| result.tally.failed).sum();
    ui::say(&format!("{passed} passed, {failed} failed"));
    Ok(failed == 0)
}
