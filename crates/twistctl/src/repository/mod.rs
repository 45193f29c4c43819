//! Whether the checkout is what git says it is.
//!
//! Folders that a cloud drive synchronises hold placeholders: files of the right name and size whose bytes
//! are elsewhere. Git trusts size and time, so it calls them unmodified, and a build takes what it reads.
//! Here every tracked file is read in full and compared with git's bytes.

mod content;
mod git;
mod outputs;
#[cfg(test)]
mod tests;

use crate::CtlError;
use git::{Listing, Tracked};
use std::path::Path;

/// Files that are named; the rest is only counted.
const NAMED: usize = 20;

/// What a difference to git means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edits {
    /// Somebody works here: a difference is an edit, unless it looks like a file that lost its content.
    Allowed,
    /// What is built here is said to be the commit: any difference is wrong.
    Refused,
}

impl Edits {
    /// Refused where the variable `CI` is set, as all common CI systems do.
    pub fn here() -> Self {
        match std::env::var_os("CI") {
            Some(value) if !value.is_empty() && value != "false" && value != "0" => Self::Refused,
            _ => Self::Allowed,
        }
    }
}

/// What was found.
#[derive(Debug)]
pub enum Report {
    /// There is no git, or no repository: nothing to compare with. The reason.
    NotChecked(String),
    /// Every tracked file was looked at.
    Checked {
        /// How many.
        files: usize,
        /// What is wrong.
        findings: Vec<Finding>,
    },
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The tracked file, from the root on.
    pub file: String,
    /// What is wrong with it.
    pub wrong: String,
}

impl Report {
    /// Whether nothing wrong was found; also when nothing could be checked.
    pub fn is_good(&self) -> bool {
        match self {
            Self::NotChecked(_) => true,
            Self::Checked { findings, .. } => findings.is_empty(),
        }
    }

    /// One line for each finding, or the one line that says that there is none.
    pub fn text(&self) -> String {
        let (files, findings) = match self {
            Self::NotChecked(why) => return format!("not checked: {why}"),
            Self::Checked { files, findings } => (files, findings),
        };
        if findings.is_empty() {
            return format!("{files} tracked files, all read in full");
        }
        let mut lines: Vec<String> = findings
            .iter()
            .take(NAMED)
            .map(|finding| format!("{}: {}", finding.file, finding.wrong))
            .collect();
        if let Some(more @ 1..) = findings.len().checked_sub(NAMED) {
            lines.push(format!("and {more} more"));
        }
        lines.join("\n")
    }
}

/// Looks at every file that git tracks in `root`.
///
/// # Errors
/// When there is a repository and git cannot read it.
pub fn check(root: &Path, edits: Edits) -> Result<Report, CtlError> {
    let entries = match git::tracked(root)? {
        Listing::None(why) => return Ok(Report::NotChecked(why)),
        Listing::Tracked(entries) => entries,
    };
    let mut findings = Vec::new();
    let mut note = |entry: &Tracked, wrong: Option<String>| {
        let file = shown(&entry.path);
        findings.extend(wrong.map(|wrong| Finding { file, wrong }));
    };
    for entry in &entries {
        note(entry, outputs::reason(&entry.path));
    }
    let modes = edits == Edits::Refused && git::keeps_modes(root);
    let judge = content::Judge { root, edits, modes };
    git::contents(root, &entries, |entry, content| {
        note(entry, judge.look(entry, content));
    })?;
    // An unmerged file has up to three entries.
    findings.dedup();
    Ok(Report::Checked {
        files: entries.len(),
        findings,
    })
}

/// A path as one line.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.chars().any(char::is_control) {
        text.escape_debug().to_string()
    } else {
        text.into_owned()
    }
}
