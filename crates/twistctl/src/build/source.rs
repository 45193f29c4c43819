//! What is built: the commit, whether anything was changed since, and the locks.

use crate::run::ask_in;
use crate::{CtlError, Paths};
use attest::{Revision, Sha256, Source};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The files that decide which dependencies are used.
const LOCKS: [&str; 3] = ["Cargo.lock", "edge/package-lock.json", "flake.lock"];

/// The state of a checkout. What is not known to be clean is dirty.
pub(crate) fn of(paths: &Paths) -> Result<Source, CtlError> {
    let revision = revision(&paths.root);
    let changed = ask_in(&paths.root, "git", &["status", "--porcelain"]);
    let clean = revision.is_some() && changed.is_some_and(|list| list.is_empty());
    let mut locks = BTreeMap::new();
    for name in LOCKS {
        let path = paths.root.join(name);
        let bytes = fs::read(&path).map_err(CtlError::io("read", &path))?;
        locks.insert(name.to_owned(), Sha256::of(&bytes));
    }
    Ok(Source {
        revision,
        dirty: !clean,
        locks,
    })
}

/// The commit of the repository whose top is `root`: a checkout without git inside another repository has none.
fn revision(root: &Path) -> Option<Revision> {
    let top = ask_in(root, "git", &["rev-parse", "--show-toplevel"])?;
    let same = fs::canonicalize(top).ok()? == fs::canonicalize(root).ok()?;
    let head = ask_in(root, "git", &["rev-parse", "HEAD"])?;
    Revision::try_from(head.as_str()).ok().filter(|_| same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn checkout(folder: &Path) -> Paths {
        for lock in LOCKS {
            let path = folder.join(lock);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, lock).unwrap();
        }
        Paths {
            root: folder.to_owned(),
            cache: folder.join("cache"),
            state: folder.join("state"),
        }
    }

    fn git(folder: &Path, args: &[&str]) {
        let done = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(args)
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    #[test]
    fn a_changed_or_new_file_is_not_called_clean() {
        let folder = tempfile::tempdir().unwrap();
        let paths = checkout(folder.path());
        git(folder.path(), &["init", "-q"]);
        git(folder.path(), &["add", "."]);
        git(folder.path(), &["commit", "-q", "-m", "a"]);
        let clean = of(&paths).unwrap();
        assert!(!clean.dirty);
        assert!(clean.revision.is_some());
        assert_eq!(clean.locks["Cargo.lock"], Sha256::of(b"Cargo.lock"));

        fs::write(folder.path().join("new"), "x").unwrap();
        let new = of(&paths).unwrap();
        assert!(new.dirty);
        assert_eq!(new.revision, clean.revision);
        fs::remove_file(folder.path().join("new")).unwrap();

        fs::write(folder.path().join("Cargo.lock"), "other").unwrap();
        let changed = of(&paths).unwrap();
        assert!(changed.dirty);
        assert_ne!(changed.locks, clean.locks);
    }

    #[test]
    fn a_folder_in_somebody_elses_repository_has_no_revision() {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "-q"]);
        git(folder.path(), &["commit", "-q", "--allow-empty", "-m", "a"]);
        let source = of(&checkout(&folder.path().join("inner"))).unwrap();
        assert_eq!(source.revision, None);
        assert!(source.dirty, "unknown is not clean");
    }
}
