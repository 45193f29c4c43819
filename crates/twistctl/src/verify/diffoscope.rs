//! What diffoscope makes of two files, for those who have it.

use crate::run::watch;
use crate::verify::Row;
use attest::Verdict;
use std::process::Command;

const MOST_LINES: usize = 50;

/// Adds it to every row of which both files are at hand.
pub(crate) fn explain(rows: &mut [Row]) {
    let installed = stack::binaries::on_path("diffoscope");
    for row in rows {
        if !matches!(row.verdict, Verdict::Differs(_)) {
            continue;
        }
        row.diffoscope = match (&installed, &row.files) {
            (None, _) => vec!["diffoscope is not installed".to_owned()],
            (_, None) => {
                vec!["diffoscope needs both files: give the good ones with --reference".to_owned()]
            }
            (Some(program), Some((good, bad))) => {
                let mut command = Command::new(program);
                command
                    .args(["--text", "-", "--text-color", "never", "--no-progress"])
                    .arg(good)
                    .arg(bad);
                match watch(command, |_| {}) {
                    Ok(ended) => ended
                        .output
                        .lines()
                        .take(MOST_LINES)
                        .map(str::to_owned)
                        .collect(),
                    Err(error) => vec![error.to_string()],
                }
            }
        };
    }
}
