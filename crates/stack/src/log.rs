//! The end of a log file: what a person wants to see when something failed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

const READ_AT_MOST: u64 = 64 * 1024;

/// The last `lines` lines of the file; empty when it cannot be read.
pub fn last_lines(path: &Path, lines: usize) -> String {
    last_lines_since(path, 0, lines)
}

/// The last `lines` lines, of what was written after byte `since`.
pub fn last_lines_since(path: &Path, since: u64, lines: usize) -> String {
    let text = tail(path, since).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..)
        .unwrap_or_default()
        .join("\n")
}

fn tail(path: &Path, since: u64) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(
        since.max(length.saturating_sub(READ_AT_MOST)),
    ))?;
    let mut bytes = Vec::new();
    file.take(READ_AT_MOST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_run_is_not_shown_as_the_cause() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        std::fs::write(&path, "old failure\n").unwrap();
        let mark = std::fs::metadata(&path).unwrap().len();
        std::fs::write(&path, "old failure\nnew one\nnew two\nnew three\n").unwrap();
        assert_eq!(last_lines_since(&path, mark, 2), "new two\nnew three");
        assert_eq!(last_lines_since(&path, mark, 9).lines().count(), 3);
        assert_eq!(last_lines(&folder.path().join("none"), 5), "");
    }
}
