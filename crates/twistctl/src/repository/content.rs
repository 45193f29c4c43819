//! One file of the checkout beside git's bytes for it.

use super::Edits;
use super::git::{Kind, Tracked};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Transfers stop at a multiple of this; a person stops at the end of a line.
const BLOCK: usize = 4096;

pub(super) struct Judge<'a> {
    pub(super) root: &'a Path,
    pub(super) edits: Edits,
    /// Whether the executable bit counts.
    pub(super) modes: bool,
}

impl Judge<'_> {
    /// What is wrong with the file; `committed` are git's bytes.
    pub(super) fn look(&self, entry: &Tracked, committed: Option<&[u8]>) -> Option<String> {
        let executable = match entry.kind {
            Kind::Submodule | Kind::Sparse => return None,
            Kind::Unmerged => return self.difference("has an unfinished merge".into()),
            Kind::Link => false,
            Kind::File { executable } => executable,
        };
        let Some(committed) = committed else {
            return Some("git has lost its content; fetch it, or clone again".into());
        };
        let path = self.root.join(&entry.path);
        let meta = match fs::symlink_metadata(&path) {
            Ok(meta) => meta,
            Err(error) if is_absence(&error) => return self.difference("is deleted".into()),
            Err(error) => return Some(format!("cannot be looked at: {error}")),
        };
        if entry.kind == Kind::Link && meta.is_symlink() {
            return match fs::read_link(&path) {
                Ok(target) if target.as_os_str().as_bytes() == committed => None,
                Ok(_) => self.difference("is a link to another place than in git".into()),
                Err(error) => Some(format!("cannot be read: {error}")),
            };
        }
        if meta.is_symlink() {
            return match fs::metadata(&path) {
                Ok(_) => self.difference("is a link; git has a file".into()),
                Err(error) => Some(format!("cannot be read: {error}")),
            };
        }
        if !meta.is_file() {
            // Not opened: a pipe would wait for a writer for ever.
            let kind = if meta.is_dir() {
                "folder"
            } else {
                "special file"
            };
            return Some(format!("cannot be read: it is a {kind}"));
        }
        self.compare(&path, &meta, executable, committed)
    }

    fn compare(
        &self,
        path: &Path,
        meta: &Metadata,
        executable: bool,
        committed: &[u8],
    ) -> Option<String> {
        let mut now = Vec::new();
        if let Err(error) = File::open(path).and_then(|mut file| file.read_to_end(&mut now)) {
            return Some(format!("cannot be read: {error}"));
        }
        let read = now.len() as u64;
        if read < meta.len() {
            let size = meta.len();
            return Some(format!(
                "cannot be read in full: {read} of {size} bytes came"
            ));
        }
        // Bytes that are git's are all there, whatever the file system says about blocks.
        if now == committed {
            let same_mode = (meta.permissions().mode() & 0o111 != 0) == executable;
            return (self.modes && !same_mode).then(|| {
                let state = if executable { "is not" } else { "is" };
                format!("{state} executable, unlike in git")
            });
        }
        let kept = common(&now, committed);
        lost(&now, committed, kept, meta.blocks())
            .or_else(|| self.difference(format!("differs from git, first at byte {kept}")))
    }

    /// `what` is wrong only where nobody edits.
    fn difference(&self, what: String) -> Option<String> {
        (self.edits == Edits::Refused).then_some(what)
    }
}

/// Also below a path that is a file now.
fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// How many bytes are the same at the start.
fn common(one: &[u8], two: &[u8]) -> usize {
    one.iter().zip(two).take_while(|(a, b)| a == b).count()
}

/// Why what is there is not an edit of what git has but a file that lost bytes: zeros where git has others,
/// or an end in the middle of a line.
fn lost(now: &[u8], committed: &[u8], kept: usize, blocks: u64) -> Option<String> {
    let zeros = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    let (rest, gone) = (now.get(kept..)?, committed.get(kept..)?);
    // Some editors leave out the last newline.
    if zeros(gone) || (rest.is_empty() && gone == b"\n") {
        return None;
    }
    if !rest.is_empty() && zeros(rest) {
        let hint = if blocks == 0 {
            "; the disk holds none of it: a placeholder of a cloud drive?"
        } else {
            ""
        };
        return Some(format!("is zeros from byte {kept} on, unlike in git{hint}"));
    }
    let ends_a_line = now.ends_with(b"\n") && !kept.is_multiple_of(BLOCK);
    (rest.is_empty() && !ends_a_line).then(|| {
        let size = committed.len();
        format!("is cut off: {kept} of the {size} bytes that git has")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(now: &[u8], committed: &[u8]) -> Option<String> {
        lost(now, committed, common(now, committed), 8)
    }

    #[test]
    fn an_edit_is_not_taken_for_a_loss() {
        let git = b"one\ntwo\nthree\n";
        for edit in [
            &b"one\n2\nthree\n"[..],
            b"one\ntwo\n",
            b"one\ntwo\nthree\nfour\n",
            b"one\ntwo\nthree",
            b"other",
            b"\0\0other",
            b"one\ntwo\nthree\n\0",
        ] {
            assert_eq!(verdict(edit, git), None, "{edit:?}");
        }
    }

    #[test]
    fn lost_bytes_are_not_taken_for_an_edit() {
        let git = b"one\ntwo\nthree\n";
        for loss in [
            &b""[..],
            b"\0\0\0\0",
            &[0; 14],
            &[0; 4096],
            b"one\ntw",
            b"one\ntwo\n\0\0\0\0\0\0",
        ] {
            assert!(verdict(loss, git).is_some(), "{loss:?}");
        }
        let long = [b'\n'; 3 * BLOCK];
        assert!(verdict(&long[..BLOCK], &long).is_some());
        assert!(verdict(&long[..=BLOCK], &long).is_none());
    }

    #[test]
    fn zeros_that_git_has_too_are_content() {
        assert_eq!(verdict(&[0; 5], &[0; 9]), None);
        assert!(verdict(&[0; 5], &[1; 5]).is_some());
    }
}
