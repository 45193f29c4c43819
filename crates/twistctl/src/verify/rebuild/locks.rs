//! The lock files that the manifest names, as the commit has them.

use super::LEG;
use crate::Paths;
use crate::verify::{Context, Row};
use attest::{Difference, Offset, Sha256, Verdict};
use std::process::{Command, Stdio};

/// One row for each.
pub(super) fn check(context: &Context, paths: &Paths, revision: &str) -> Vec<Row> {
    let locks = &context.manifest.draft().source.locks;
    locks
        .iter()
        .map(|(file, expected)| {
            let row = Row::of_none(LEG, format!("{file} of {revision}"));
            let Some(contents) = at(paths, revision, file) else {
                return row.missing(format!("the commit has no file {file}"));
            };
            let found = Sha256::of(&contents);
            if found == *expected {
                return row.verdict(Verdict::Match);
            }
            row.verdict(Verdict::Differs(Difference {
                detail: format!("the manifest names another {file} than the commit has"),
                file: Some(file.clone()),
                offset: Offset::Unknown,
                expected: expected.to_string(),
                actual: found.to_string(),
            }))
        })
        .collect()
}

fn at(paths: &Paths, revision: &str, file: &str) -> Option<Vec<u8>> {
    let shown = Command::new("git")
        .args(["cat-file", "blob", &format!("{revision}:{file}")])
        .current_dir(&paths.root)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    shown.status.success().then_some(shown.stdout)
}
