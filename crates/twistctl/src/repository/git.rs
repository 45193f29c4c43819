//! What git knows: which files it tracks, and their bytes.

use crate::CtlError;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

/// A path that git tracks.
#[derive(Debug)]
pub(super) struct Tracked {
    /// From the root on.
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    /// The name of git's content.
    id: String,
}

/// What git has under a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File {
        executable: bool,
    },
    Link,
    /// Another repository's commit; its files are not of this one.
    Submodule,
    /// A merge is not finished.
    Unmerged,
    /// Left out on purpose (`git sparse-checkout`).
    Sparse,
}

impl Tracked {
    /// Whether there are bytes to compare with.
    fn has_content(&self) -> bool {
        matches!(self.kind, Kind::File { .. } | Kind::Link)
    }
}

pub(super) enum Listing {
    /// There is nothing to compare with, and why.
    None(String),
    Tracked(Vec<Tracked>),
}

/// Every path that git tracks below `root`.
pub(super) fn tracked(root: &Path) -> Result<Listing, CtlError> {
    // Zero bytes between the entries: a name may hold a space, a quote or a newline.
    let output = match git(root, &["ls-files", "--stage", "-t", "-z"]).output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Listing::None("git is not installed".into()));
        }
        Err(error) => return Err(CtlError::io("run", Path::new("git"))(error)),
    };
    if !output.status.success() {
        let outside = String::from_utf8_lossy(&output.stderr).contains("not a git repository");
        // A `.git` that is there and cannot be read is a fault, not a checkout without one.
        if outside && root.join(".git").symlink_metadata().is_err() {
            let why = "not a git repository (a release archive has none)";
            return Ok(Listing::None(why.into()));
        }
        return Err(failed("listing the tracked files", &output));
    }
    let entries: Option<Vec<Tracked>> = output
        .stdout
        .split(|byte| *byte == 0)
        .filter(|entry| !entry.is_empty())
        .map(entry)
        .collect();
    match entries {
        Some(entries) if entries.is_empty() => {
            Ok(Listing::None("git tracks no file of this folder".into()))
        }
        Some(entries) => Ok(Listing::Tracked(entries)),
        None => Err(failed("reading what git ls-files says", &output)),
    }
}

/// Whether git looks at the executable bit here; on some file systems it must not.
pub(super) fn keeps_modes(root: &Path) -> bool {
    let args = ["config", "--type=bool", "--get", "core.fileMode"];
    let output = git(root, &args).output();
    output.is_ok_and(|output| output.stdout.trim_ascii() != b"false")
}

/// Calls `each` with every entry and git's bytes for it, `None` where git lacks them or has none.
pub(super) fn contents(
    root: &Path,
    entries: &[Tracked],
    mut each: impl FnMut(&Tracked, Option<&[u8]>),
) -> Result<(), CtlError> {
    let io = |doing| CtlError::io(doing, Path::new("git"));
    let mut child = git(root, &["cat-file", "--batch", "--buffer"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(io("run"))?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(CtlError::Help("git cannot be talked to".into()));
    };
    let mut answers = BufReader::new(stdout);
    let read = thread::scope(|scope| {
        // Beside the reading: with many files both pipes would be full.
        scope.spawn(move || {
            for entry in entries.iter().filter(|entry| entry.has_content()) {
                if writeln!(stdin, "{}", entry.id).is_err() {
                    break;
                }
            }
        });
        for entry in entries {
            let content = if entry.has_content() {
                answer(&mut answers)?
            } else {
                None
            };
            each(entry, content.as_deref());
        }
        Ok(())
    });
    // Before it is waited for, so that it does not wait for a reader.
    drop(answers);
    child.wait().map_err(io("wait for"))?;
    read.map_err(io("read the answer of"))
}

/// One answer of `git cat-file --batch`: a line with the size, the bytes, a newline; or a line without a
/// size when the repository lacks the object.
fn answer(answers: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut words = line.split_ascii_whitespace().skip(1);
    let (Some("blob"), Some(size)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let size: usize = size.parse().map_err(io::Error::other)?;
    let mut content = vec![0; size];
    answers.read_exact(&mut content)?;
    answers.read_exact(&mut [0])?;
    Ok(Some(content))
}

/// `H 100644 <id> 0<tab><path>`.
fn entry(line: &[u8]) -> Option<Tracked> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let (head, path) = (line.get(..tab)?, line.get(tab + 1..)?);
    let mut words = std::str::from_utf8(head).ok()?.split(' ');
    let (tag, mode, id, stage) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let kind = match (tag, mode, stage) {
        (_, _, "1" | "2" | "3") => Kind::Unmerged,
        ("S" | "s", ..) => Kind::Sparse,
        (_, "100644", _) => Kind::File { executable: false },
        (_, "100755", _) => Kind::File { executable: true },
        (_, "120000", _) => Kind::Link,
        (_, "160000", _) => Kind::Submodule,
        _ => return None,
    };
    Some(Tracked {
        path: PathBuf::from(OsStr::from_bytes(path)),
        kind,
        id: id.to_owned(),
    })
}

fn git(root: &Path, args: &[&str]) -> Command {
    let mut command = crate::git::git(root);
    command.args(args);
    command
}

fn failed(what: &str, output: &Output) -> CtlError {
    CtlError::Tool {
        what: what.to_owned(),
        output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    }
}
