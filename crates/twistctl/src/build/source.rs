//! What is built: the commit, whether anything was changed since, and the locks.

use crate::git::git;
use crate::repository::{self, Edits, Report};
use crate::{CtlError, Paths};
use attest::{Revision, Sha256, Source};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The files that decide which dependencies are used.
const LOCKS: [&str; 3] = ["Cargo.lock", "edge/package-lock.json", "flake.lock"];

/// The state of a checkout. What is not known to be clean is dirty.
pub(crate) fn of(paths: &Paths) -> Result<Source, CtlError> {
    let revision = revision(&paths.root);
    let clean = revision.is_some() && is_clean(&paths.root);
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
    let top = line(root, &["rev-parse", "--show-toplevel"])?;
    let same = fs::canonicalize(PathBuf::from(top)).ok()? == fs::canonicalize(root).ok()?;
    let head = line(root, &["rev-parse", "HEAD"])?.into_string().ok()?;
    Revision::try_from(head.as_str()).ok().filter(|_| same)
}

/// Whether the files are those of the commit and no others, whatever git was told not to look at.
fn is_clean(root: &Path) -> bool {
    let nothing = |args: &[&str]| ask(root, args).is_some_and(|printed| printed.is_empty());
    // Staged, new and deleted files.
    nothing(&[
        "status",
        "--porcelain",
        "--untracked-files=all",
        "--ignore-submodules=none",
    ])
        // Objects that stand in for others.
        && nothing(&["for-each-ref", "refs/replace"])
        && has_no_new_file(root)
        && looks_at_every_file(root)
        // Git trusts size and time; these are the bytes.
        && matches!(
            repository::check(root, Edits::Refused),
            Ok(Report::Checked { findings, .. }) if findings.is_empty()
        )
}

/// Nothing lies there that a build could take, unless the commit itself says that it is to be ignored: `status`
/// also goes by `.git/info/exclude` and by files that ignore themselves.
fn has_no_new_file(root: &Path) -> bool {
    let mut args = vec!["ls-files", "--others"];
    if ask(root, &["ls-files", "--error-unmatch", ".gitignore"]).is_some() {
        args.push("--exclude-from=.gitignore");
    }
    ask(root, &args).is_some_and(|printed| printed.is_empty())
}

/// No file is marked as one that is to be taken for unchanged.
fn looks_at_every_file(root: &Path) -> bool {
    ask(root, &["ls-files", "-v", "-z"]).is_some_and(|printed| {
        let mut entries = printed
            .split(|byte| *byte == 0)
            .filter(|entry| !entry.is_empty());
        entries.all(|entry| entry.starts_with(b"H "))
    })
}

fn line(root: &Path, args: &[&str]) -> Option<OsString> {
    let mut printed = ask(root, args)?;
    printed.pop_if(|byte| *byte == b'\n');
    Some(OsString::from_vec(printed))
}

/// What git prints; `None` when it fails.
fn ask(root: &Path, args: &[&str]) -> Option<Vec<u8>> {
    let output = git(root).args(args).output().ok()?;
    output.status.success().then_some(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::test as git;

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
    fn a_change_that_git_was_told_not_to_see_is_not_called_clean() {
        type Disguise = (&'static str, fn(&Path));
        let disguises: [Disguise; 7] = [
            ("a new file where new files are not shown", |folder| {
                git(folder, &["config", "status.showUntrackedFiles", "no"]);
                fs::write(folder.join("new"), "x").unwrap();
            }),
            ("a new file that only this machine ignores", |folder| {
                fs::write(folder.join("excludes"), "/excludes\n/build.rs\n").unwrap();
                let excludes = folder.join("excludes").display().to_string();
                git(folder, &["config", "core.excludesFile", &excludes]);
                fs::write(folder.join("build.rs"), "x").unwrap();
            }),
            ("a new file that only this clone ignores", |folder| {
                fs::create_dir_all(folder.join(".git/info")).unwrap();
                fs::write(folder.join(".git/info/exclude"), "/build.rs\n").unwrap();
                fs::write(folder.join("build.rs"), "x").unwrap();
            }),
            ("a folder that ignores itself", |folder| {
                fs::create_dir(folder.join("hidden")).unwrap();
                fs::write(folder.join("hidden/.gitignore"), "*\n").unwrap();
            }),
            ("a changed file that counts as unchanged", |folder| {
                git(
                    folder,
                    &["update-index", "--assume-unchanged", "Cargo.lock"],
                );
                fs::write(folder.join("Cargo.lock"), "other").unwrap();
            }),
            ("a changed file that is skipped", |folder| {
                git(folder, &["update-index", "--skip-worktree", "Cargo.lock"]);
                fs::write(folder.join("Cargo.lock"), "other").unwrap();
            }),
            ("another content in the place of the commit's", |folder| {
                fs::write(folder.join("other"), "CARGO.LOCK").unwrap();
                git(folder, &["hash-object", "-w", "other"]);
                git(folder, &["replace", "HEAD:Cargo.lock", &other(folder)]);
                fs::remove_file(folder.join("other")).unwrap();
            }),
        ];
        for (what, disguise) in disguises {
            let folder = tempfile::tempdir().unwrap();
            let paths = checkout(folder.path());
            fs::write(folder.path().join(".gitignore"), "/dist/\n").unwrap();
            git(folder.path(), &["init", "-q"]);
            git(folder.path(), &["add", "."]);
            git(folder.path(), &["commit", "-q", "-m", "a"]);
            fs::create_dir(folder.path().join("dist")).unwrap();
            fs::write(folder.path().join("dist/x"), "what the commit ignores").unwrap();
            assert!(!of(&paths).unwrap().dirty);
            disguise(folder.path());
            assert!(of(&paths).unwrap().dirty, "{what}");
        }
    }

    fn other(folder: &Path) -> String {
        let id = ask(folder, &["hash-object", "other"]).unwrap();
        String::from_utf8(id).unwrap().trim().to_owned()
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
