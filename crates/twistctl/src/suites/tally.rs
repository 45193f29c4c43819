//! Counting test cases.

use crate::ui;
use std::time::Duration;

/// How many cases passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
}

/// A suite that has run.
#[derive(Debug, Clone)]
pub struct SuiteResult {
    /// Its name.
    pub name: String,
    /// What it counted.
    pub tally: Tally,
    /// How long it took.
    pub took: Duration,
}

impl SuiteResult {
    /// `unit         212 passed   0 failed    143.2 s`.
    pub fn line(&self) -> String {
        let Tally { passed, failed } = self.tally;
        format!(
            "{:<11}{passed:>5} passed{failed:>5} failed{:>12}",
            self.name,
            ui::seconds(self.took)
        )
    }
}

impl Tally {
    pub(crate) const fn failure() -> Self {
        Self {
            passed: 0,
            failed: 1,
        }
    }

    pub(crate) const fn of(ok: bool) -> Self {
        if ok {
            Self {
                passed: 1,
                failed: 0,
            }
        } else {
            Self::failure()
        }
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }

    /// With the exit code taken into account: what failed without being counted, such as a test program
    /// that does not compile or crashes, is one failure; no case at all is one too.
    pub(crate) const fn checked(self, ok: bool) -> Self {
        if self.failed == 0 && (!ok || self.passed == 0) {
            return self.plus(Self::failure());
        }
        self
    }

    /// The sum over `test result: ok. 5 passed; 1 failed; …` lines of cargo.
    pub(crate) fn of_cargo(output: &str) -> Self {
        output
            .lines()
            .filter_map(|line| line.trim().strip_prefix("test result: "))
            .map(|line| Self {
                passed: number_before(line, " passed"),
                failed: number_before(line, " failed"),
            })
            .fold(Self::default(), Self::plus)
    }

    /// `# pass 12` and `# fail 0` of node's TAP reporter; cancelled cases failed.
    pub(crate) fn of_node(output: &str) -> Self {
        let count = |name: &str| {
            output
                .lines()
                .filter_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok())
                .sum::<u64>()
        };
        Self {
            passed: count("# pass "),
            failed: count("# fail ") + count("# cancelled "),
        }
    }
}

fn number_before(line: &str, word: &str) -> u64 {
    line.split(word)
        .next()
        .and_then(|before| before.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_of_all_test_programs_are_added_up() {
        let output = "\
test a ... ok
test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: FAILED. 7 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s
";
        let tally = Tally::of_cargo(output);
        assert_eq!((tally.passed, tally.failed), (12, 2));
        let node = Tally::of_node("ok 1 - a\n# tests 4\n# pass 3\n# fail 1\n# cancelled 0\n");
        assert_eq!((node.passed, node.failed), (3, 1));
    }

    #[test]
    fn a_suite_that_does_not_compile_or_runs_nothing_has_failed() {
        assert_eq!(
            Tally::of_cargo("error: could not compile")
                .checked(false)
                .failed,
            1
        );
        assert_eq!(Tally::default().checked(true).failed, 1);
        let crashed = Tally {
            passed: 3,
            failed: 0,
        };
        assert_eq!(crashed.checked(false).failed, 1);
        assert_eq!(crashed.checked(true), crashed);
    }
}
