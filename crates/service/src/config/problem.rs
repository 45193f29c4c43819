//! What is wrong with a configuration.

use std::fmt;

/// One thing that is wrong. Never contains a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key as in the file, `database.url`; empty for what is no key's fault.
    pub key: String,
    /// The variable that sets it, `TWIST_AUTH__DATABASE__URL`.
    pub variable: String,
    /// What, and what would be right.
    pub why: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, variable, why } = self;
        match (key.is_empty(), variable.is_empty()) {
            (true, true) => f.write_str(why),
            (true, false) => write!(f, "{variable}: {why}"),
            (false, _) => write!(f, "{key} ({variable}): {why}"),
        }
    }
}

/// Collects what is wrong, so that all of it is told at once.
#[derive(Debug, Clone)]
pub struct Problems {
    prefix: String,
    found: Vec<Problem>,
}

impl Problems {
    /// None yet, in a configuration whose variables start with `prefix` (`TWIST_AUTH`).
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.trim_end_matches('_').to_owned(),
            found: Vec::new(),
        }
    }

    /// Notes that the value of `key` (`database.url`) is wrong. `why` must not repeat the value.
    pub fn note(&mut self, key: &str, why: impl Into<String>) {
        self.found.push(Problem {
            key: key.to_owned(),
            variable: variable(&self.prefix, key),
            why: why.into(),
        });
    }

    /// Notes that something beside the keys is wrong: a file, a variable.
    pub(super) fn note_elsewhere(&mut self, variable: &str, why: impl Into<String>) {
        self.found.push(Problem {
            key: String::new(),
            variable: variable.to_owned(),
            why: why.into(),
        });
    }

    /// Notes that `key` is wrong unless `right`.
    pub fn require(&mut self, key: &str, right: bool, why: &str) {
        if !right {
            self.note(key, why);
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Everything that was noted.
    pub fn found(&self) -> &[Problem] {
        &self.found
    }

    /// An error with everything that was noted, if anything was.
    pub fn into_result(self) -> Result<(), super::ConfigError> {
        if self.found.is_empty() {
            Ok(())
        } else {
            Err(super::ConfigError::Problems(self.found))
        }
    }
}

/// The variable that sets `key`.
pub(super) fn variable(prefix: &str, key: &str) -> String {
    let key = key.replace('.', "__").to_uppercase();
    format!("{}__{key}", prefix.trim_end_matches('_'))
}

/// One a line.
pub(super) fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
