//! The state of the infrastructure in a branch: never open, never over somebody else's.

use crate::kit::{Answer, answer, twistctl};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A bare repository and two clones of it.
struct World {
    home: TempDir,
}

fn git(folder: &Path, args: &[&str]) -> String {
    let done = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// As `OpenTofu` writes an encrypted state.
fn state(text: &str) -> String {
    format!(
        r#"{{"meta":{{"key_provider.pbkdf2.passphrase":"eyJzYWx0IjoiIn0="}},"encrypted_data":"{text}","encryption_version":"v0"}}"#
    )
}

impl World {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        git(home.path(), &["init", "--quiet", "--bare", "bare"]);
        for clone in ["one", "two"] {
            git(home.path(), &["clone", "--quiet", "bare", clone]);
        }
        let one = home.path().join("one");
        fs::write(one.join("README"), "x").unwrap();
        git(&one, &["add", "."]);
        git(&one, &["commit", "--quiet", "-m", "x"]);
        git(&one, &["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
        Self { home }
    }

    fn clone(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn edge(&self, clone: &str, what: &str, environment: &str) -> Answer {
        let mut command = twistctl(&self.clone(clone));
        let file = format!("{environment}.tfstate");
        command.args(["edge", "state", what, environment, "--file", &file]);
        answer(command)
    }

    fn write(&self, clone: &str, environment: &str, text: &str) {
        fs::write(
            self.clone(clone).join(format!("{environment}.tfstate")),
            state(text),
        )
        .unwrap();
    }

    fn read(&self, clone: &str, environment: &str) -> String {
        fs::read_to_string(self.clone(clone).join(format!("{environment}.tfstate"))).unwrap()
    }

    fn bare(&self, args: &[&str]) -> String {
        git(&self.clone("bare"), args)
    }
}

#[test]
fn a_state_comes_back_as_it_was_and_leaves_no_other_trace() {
    let world = World::new();
    let first = world.edge("one", "pull", "staging");
    assert_eq!(first.code, 0, "{first:?}");
    assert!(
        first.stdout.contains("the first apply makes it"),
        "{first:?}"
    );
    world.write("one", "staging", "AAAA");
    let pushed = world.edge("one", "push", "staging");
    assert_eq!(pushed.code, 0, "{pushed:?}");
    assert_eq!(world.edge("two", "pull", "staging").code, 0);
    assert_eq!(world.read("two", "staging"), state("AAAA"));
    assert_eq!(
        world.bare(&["ls-tree", "-r", "--name-only", "infra-state"]),
        "edge/staging.tfstate"
    );
    // The clone's own files and branch are as they were.
    assert_eq!(
        git(&world.clone("one"), &["branch", "--list"])
            .lines()
            .count(),
        1
    );
    assert!(!world.clone("one").join("edge").exists());
    world.write("two", "staging", "BBBB");
    assert_eq!(world.edge("two", "push", "staging").code, 0);
    assert_eq!(world.bare(&["rev-list", "--count", "infra-state"]), "2");
    assert_eq!(
        world.edge("two", "push", "staging").code,
        0,
        "again is no change"
    );
    assert_eq!(world.bare(&["rev-list", "--count", "infra-state"]), "2");
}

#[test]
fn whoever_is_second_is_told_and_overwrites_nothing() {
    let world = World::new();
    world.edge("one", "pull", "staging");
    world.write("one", "staging", "AAAA");
    world.edge("one", "push", "staging");
    for clone in ["one", "two"] {
        world.edge(clone, "pull", "staging");
    }
    world.write("one", "staging", "BBBB");
    assert_eq!(world.edge("one", "push", "staging").code, 0);
    world.write("two", "staging", "CCCC");
    let refused = world.edge("two", "push", "staging");
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.stderr.contains("somebody else applied"),
        "{refused:?}"
    );
    assert_eq!(
        world.bare(&["show", "infra-state:edge/staging.tfstate"]),
        state("BBBB")
    );
    assert_eq!(
        world.read("two", "staging"),
        state("CCCC"),
        "and it is not lost either"
    );
}

#[test]
fn two_first_applies_do_not_overwrite_each_other() {
    let world = World::new();
    for (clone, text) in [("one", "AAAA"), ("two", "BBBB")] {
        world.edge(clone, "pull", "staging");
        world.write(clone, "staging", text);
    }
    assert_eq!(world.edge("one", "push", "staging").code, 0);
    assert_eq!(world.edge("two", "push", "staging").code, 1);
}

#[test]
fn another_environment_is_no_conflict() {
    let world = World::new();
    for (clone, environment) in [("one", "staging"), ("two", "production")] {
        world.edge(clone, "pull", environment);
        world.write(clone, environment, "AAAA");
    }
    assert_eq!(world.edge("one", "push", "staging").code, 0);
    let second = world.edge("two", "push", "production");
    assert_eq!(second.code, 0, "{second:?}");
    let listed = world.bare(&["ls-tree", "-r", "--name-only", "infra-state"]);
    assert_eq!(listed, "edge/production.tfstate\nedge/staging.tfstate");
}

#[test]
fn an_open_state_never_leaves_the_machine() {
    let world = World::new();
    world.edge("one", "pull", "staging");
    let open =
        r#"{"version":4,"terraform_version":"1.11.4","serial":1,"outputs":{},"resources":[]}"#;
    fs::write(world.clone("one").join("staging.tfstate"), open).unwrap();
    let refused = world.edge("one", "push", "staging");
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("not encrypted"), "{refused:?}");
    assert_eq!(world.bare(&["branch", "--list", "infra-state"]), "");
}

#[test]
fn a_state_that_follows_nobody_knows_what_is_not_pushed() {
    let world = World::new();
    world.write("one", "staging", "AAAA");
    let refused = world.edge("one", "push", "staging");
    assert!(refused.stderr.contains("pull first"), "{refused:?}");
    // And a pull does not take it away.
    let pull = world.edge("one", "pull", "staging");
    assert_eq!(pull.code, 1, "{pull:?}");
    assert_eq!(world.read("one", "staging"), state("AAAA"));
}

#[test]
fn what_was_pulled_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    world.edge("one", "pull", "staging");
    world.write("one", "staging", "AAAA");
    world.edge("one", "push", "staging");
    world.edge("two", "pull", "staging");
    let meta = fs::metadata(world.clone("two").join("staging.tfstate")).unwrap();
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
}
