//! What diffoscope makes of two files, for those who have it.

use crate::verify::Row;
use attest::Verdict;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

/// It can say more than anybody reads.
const MOST_LINES: usize = 50;
const MOST_BYTES: u64 = 64 << 10;

/// Adds it to every row that says "differs".
pub(crate) fn explain(rows: &mut [Row]) {
    let installed = stack::binaries::on_path("diffoscope");
    let differ = |row: &&mut Row| matches!(row.verdict, Verdict::Differs(_));
    for row in rows.iter_mut().filter(differ) {
        row.diffoscope = match (&installed, &row.files) {
            (None, _) => vec!["diffoscope is not installed".to_owned()],
            (_, None) => {
                vec!["diffoscope needs a good copy; --reference names a folder of them".to_owned()]
            }
            (Some(program), Some((good, bad))) => ask(program, good, bad)
                .unwrap_or_else(|error| vec![format!("diffoscope did not run: {error}")]),
        };
    }
}

fn ask(program: &Path, good: &Path, bad: &Path) -> io::Result<Vec<String>> {
    let mut child = Command::new(program)
        .args(["--text", "-", "--text-color", "never", "--no-progress"])
        .arg(good)
        .arg(bad)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut lines = Vec::new();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output.take(MOST_BYTES)).split(b'\n') {
            lines.push(String::from_utf8_lossy(&line?).into_owned());
            if lines.len() == MOST_LINES {
                break;
            }
        }
    }
    // It may have more to say, and it may have ended.
    let _ = child.kill();
    child.wait()?;
    Ok(lines)
}
