//! Against real repositories.

use super::*;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

const TEXT: &str = "fn main() {}\n// the end\n";

/// A repository with one file, `a.rs`.
struct Repository(tempfile::TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        repository.git(&["init", "-q"]);
        repository.git(&["config", "user.email", "a@example.org"]);
        repository.git(&["config", "user.name", "a"]);
        repository.write("a.rs", TEXT);
        repository.commit();
        repository
    }

    fn git(&self, args: &[&str]) {
        let mut command = Command::new("git");
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
        let output = command
            .args([
                "-c",
                "commit.gpgsign=false",
                "-c",
                "protocol.file.allow=always",
            ])
            .args(args)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {text}");
    }

    fn commit(&self) {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "x"]);
    }

    fn path(&self, name: impl AsRef<Path>) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: impl AsRef<Path>, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn findings(&self, edits: Edits) -> Vec<Finding> {
        match check(self.0.path(), edits).unwrap() {
            Report::Checked { findings, .. } => findings,
            Report::NotChecked(why) => panic!("not checked: {why}"),
        }
    }

    /// Wrong here and in CI, with these words.
    fn assert_wrong(&self, file: &str, says: &str) {
        for edits in [Edits::Allowed, Edits::Refused] {
            let findings = self.findings(edits);
            let [finding] = findings.as_slice() else {
                panic!("{edits:?}: {findings:?}");
            };
            assert_eq!(finding.file, file);
            assert!(finding.wrong.contains(says), "{finding:?}");
        }
    }

    /// An edit here, wrong in CI.
    fn assert_edit(&self, file: &str, says: &str) {
        assert_eq!(self.findings(Edits::Allowed), []);
        let findings = self.findings(Edits::Refused);
        let [finding] = findings.as_slice() else {
            panic!("{findings:?}");
        };
        assert_eq!(finding.file, file);
        assert!(finding.wrong.contains(says), "{finding:?}");
    }

    fn assert_clean(&self) {
        for edits in [Edits::Allowed, Edits::Refused] {
            assert_eq!(self.findings(edits), []);
        }
    }
}

#[test]
fn a_placeholder_of_the_right_size_and_time_is_found_although_git_sees_no_change() {
    let repository = Repository::new();
    let path = repository.path("a.rs");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    // Sparse: the size is there, the blocks are not.
    let file = File::create(&path).unwrap();
    file.set_len(TEXT.len() as u64).unwrap();
    file.set_modified(modified).unwrap();
    repository.assert_wrong("a.rs", "is zeros from byte 0 on");
}

#[test]
fn a_file_that_came_half_is_found() {
    let repository = Repository::new();
    repository.write("a.rs", &TEXT[..TEXT.len() / 2]);
    repository.assert_wrong("a.rs", "is cut off: 12 of the 24 bytes");
    repository.write("a.rs", "");
    repository.assert_wrong("a.rs", "is cut off: 0 of the 24 bytes");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let repository = Repository::new();
    fs::remove_file(repository.path("a.rs")).unwrap();
    fs::create_dir(repository.path("a.rs")).unwrap();
    repository.assert_wrong("a.rs", "cannot be read: it is a folder");
    fs::remove_dir(repository.path("a.rs")).unwrap();
    symlink("nowhere", repository.path("a.rs")).unwrap();
    repository.assert_wrong("a.rs", "cannot be read: No such file");
    fs::remove_file(repository.path("a.rs")).unwrap();
    symlink("a.rs", repository.path("a.rs")).unwrap();
    repository.assert_wrong("a.rs", "cannot be read: ");
}

#[test]
fn a_pipe_in_place_of_a_file_does_not_hang_the_check() {
    let repository = Repository::new();
    let path = repository.path("a.rs");
    fs::remove_file(&path).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    repository.assert_wrong("a.rs", "cannot be read: it is a special file");
}

#[test]
fn a_build_output_that_was_added_by_force_is_named() {
    for output in ["dist/release.json", "edge/node_modules/x/y.js", "a/b.wasm"] {
        let repository = Repository::new();
        repository.write(output, "x");
        repository.assert_clean();
        repository.commit();
        repository.assert_wrong(output, "a build output is tracked");
    }
}

#[test]
fn an_edit_is_fine_where_somebody_works_and_refused_where_the_commit_is_built() {
    let repository = Repository::new();
    repository.write("a.rs", "fn main() {}\n// another end\n");
    repository.assert_edit("a.rs", "first at byte 16");
    repository.write("a.rs", "fn main() {}\n");
    repository.assert_edit("a.rs", "first at byte 13");
    // What is staged is what the next commit has.
    repository.git(&["add", "a.rs"]);
    repository.assert_clean();
    fs::remove_file(repository.path("a.rs")).unwrap();
    repository.assert_edit("a.rs", "is deleted");
}

#[test]
fn a_change_that_git_hides_is_still_seen() {
    let repository = Repository::new();
    repository.git(&["update-index", "--assume-unchanged", "a.rs"]);
    repository.write("a.rs", "fn main() { evil() }\n");
    repository.assert_edit("a.rs", "first at byte 11");
}

#[test]
fn the_executable_bit_counts_where_the_commit_is_built() {
    let repository = Repository::new();
    let path = repository.path("a.rs");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    repository.assert_edit("a.rs", "is executable, unlike in git");
    repository.commit();
    repository.assert_clean();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    repository.assert_edit("a.rs", "is not executable, unlike in git");
    repository.git(&["config", "core.fileMode", "false"]);
    repository.assert_clean();
}

#[test]
fn links_are_compared_as_links_and_may_lead_nowhere() {
    let repository = Repository::new();
    symlink("nowhere", repository.path("link")).unwrap();
    repository.commit();
    repository.assert_clean();
    fs::remove_file(repository.path("link")).unwrap();
    symlink("a.rs", repository.path("link")).unwrap();
    repository.assert_edit("link", "is a link to another place");
    fs::remove_file(repository.path("a.rs")).unwrap();
    fs::rename(repository.path("link"), repository.path("b.rs")).unwrap();
    repository.write("link", "nowhere");
    fs::write(repository.path("target.rs"), TEXT).unwrap();
    symlink("target.rs", repository.path("a.rs")).unwrap();
    repository.assert_edit("a.rs", "is a link; git has a file");
}

#[test]
fn a_name_with_spaces_quotes_newlines_or_broken_text_is_read_and_shown_on_one_line() {
    let repository = Repository::new();
    let names: [&[u8]; 4] = [
        b"two words",
        b"\"quoted\" 'name'",
        b"two\nlines",
        b"broken\xff",
    ];
    for name in names {
        repository.write(OsStr::from_bytes(name), TEXT);
    }
    repository.commit();
    repository.assert_clean();
    repository.write(OsStr::from_bytes(b"two\nlines"), "");
    repository.assert_wrong("two\\nlines", "is cut off");
}

#[test]
fn a_submodule_and_a_sparse_checkout_are_not_missed_files() {
    let (inner, repository) = (Repository::new(), Repository::new());
    let from = inner.0.path().to_str().unwrap();
    repository.git(&["submodule", "--quiet", "add", from, "inner"]);
    repository.write("left-out/b.rs", TEXT);
    repository.commit();
    repository.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/left-out/"]);
    assert!(!repository.path("left-out/b.rs").exists());
    repository.assert_clean();
}

#[test]
fn an_unfinished_merge_is_no_commit_to_build() {
    let repository = Repository::new();
    repository.git(&["checkout", "-q", "-b", "other"]);
    repository.write("a.rs", "theirs\n");
    repository.commit();
    repository.git(&["checkout", "-q", "-"]);
    repository.write("a.rs", "ours\n");
    repository.commit();
    let merge = Command::new("git")
        .args(["merge", "-q", "other"])
        .current_dir(repository.0.path())
        .output()
        .unwrap();
    assert!(!merge.status.success());
    repository.assert_edit("a.rs", "has an unfinished merge");
}

#[test]
fn content_that_git_lost_is_said_to_be_lost() {
    let repository = Repository::new();
    let objects = repository.path(".git/objects");
    fs::remove_dir_all(&objects).unwrap();
    fs::create_dir(&objects).unwrap();
    repository.assert_wrong("a.rs", "git has lost its content");
}

#[test]
fn without_a_repository_it_is_said_that_nothing_was_checked() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.rs"), TEXT).unwrap();
    let report = check(folder.path(), Edits::Refused).unwrap();
    assert!(report.is_good());
    assert!(
        report
            .text()
            .starts_with("not checked: not a git repository"),
        "{report:?}"
    );
    // Unpacked inside another repository, which knows nothing of it.
    let outer = Repository::new();
    outer.write("archive/b.rs", TEXT);
    let report = check(&outer.path("archive"), Edits::Refused).unwrap();
    assert!(matches!(report, Report::NotChecked(_)), "{report:?}");
}

#[test]
fn a_repository_that_cannot_be_read_is_not_taken_for_none() {
    let repository = Repository::new();
    fs::write(repository.path(".git/HEAD"), "").unwrap();
    assert!(check(repository.0.path(), Edits::Allowed).is_err());
    let other = Repository::new();
    fs::write(other.path(".git/index"), "").unwrap();
    let report = check(other.0.path(), Edits::Allowed);
    assert!(report.is_err(), "{report:?}");
}

#[test]
fn many_files_do_not_jam_the_pipes_and_few_of_them_are_named() {
    let repository = Repository::new();
    for number in 0..3_000 {
        let text = format!("{number} {}\n", "x".repeat(100));
        repository.write(format!("many/{number}"), &text);
    }
    repository.commit();
    repository.assert_clean();
    for number in 0..30 {
        repository.write(format!("many/{number}"), "");
    }
    let report = check(repository.0.path(), Edits::Allowed).unwrap();
    assert!(!report.is_good());
    assert_eq!(report.text().lines().count(), NAMED + 1);
    assert!(report.text().ends_with("and 10 more"), "{}", report.text());
}
