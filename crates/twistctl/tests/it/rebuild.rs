//! `--rebuild`, with checkouts whose build is a script.

use crate::kit::release::{copy, flip, put};
use crate::kit::{Answer, Release, answer, twistctl};
use serde_json::json;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `./twist build --out DIR`: puts there what the test has prepared.
const TWIST: &str = r#"#!/bin/sh
set -eu
[ "$1 $2" = "build --out" ]
[ "$(cat marker)" = committed ] || { echo "this is not the commit"; exit 1; }
case $TWIST_CACHE_DIR in */rebuild/*) ;; *) exit 1 ;; esac
cp -a "$PREPARED" "$3"
"#;

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

fn checkout(release: &Release) -> PathBuf {
    release.home().join("checkout")
}

/// A checkout with one commit, and a manifest of it by this builder.
fn release(builder: &str) -> Release {
    let release = Release::new();
    let root = checkout(&release);
    put(&root, "Cargo.lock", b"", false);
    put(&root, "crates/twistctl/Cargo.toml", b"", false);
    put(&root, "twist", TWIST.as_bytes(), true);
    put(&root, "marker", b"committed", false);
    git(&root, &["init", "-q"]);
    git(&root, &["add", "."]);
    git(&root, &["commit", "-q", "-m", "a"]);
    // Not what is to be built.
    put(&root, "marker", b"changed since", false);
    write_manifest(&release, builder, "1.95.0", false);
    prepare(&release);
    release
}

fn write_manifest(release: &Release, builder: &str, rustc: &str, dirty: bool) {
    let revision = git(&checkout(release), &["rev-parse", "HEAD"]);
    release.write_manifest(&json!({
        "builder": builder,
        "toolchain": { "rustc": rustc },
        "source": { "revision": revision, "dirty": dirty, "locks": {} },
    }));
}

fn prepared(release: &Release) -> PathBuf {
    release.home().join("prepared")
}

fn prepare(release: &Release) {
    copy(&release.dist(), &prepared(release));
    fs::copy(release.manifest(), prepared(release).join("release.json")).unwrap();
}

fn prepare_again(release: &Release) {
    fs::remove_dir_all(prepared(release)).unwrap();
    prepare(release);
}

fn rebuild(release: &Release) -> Answer {
    rebuild_with(release, None)
}

/// With this folder first on the PATH.
fn rebuild_with(release: &Release, tools: Option<&Path>) -> Answer {
    let path = std::env::var_os("PATH").unwrap();
    let path = match tools {
        Some(tools) => [tools.as_os_str(), &path].join(&OsString::from(":")),
        None => path,
    };
    let mut command = twistctl(release.home());
    command
        .env("TWIST_ROOT", checkout(release))
        .env("PREPARED", prepared(release))
        .env("PATH", path)
        .args([
            "verify",
            "--json",
            "--manifest",
            "release.json",
            "--rebuild",
        ])
        .args(["--reference", "good"]);
    answer(command)
}

fn on_x86() -> bool {
    cfg!(target_arch = "x86_64")
}

#[test]
fn the_commit_of_the_manifest_is_built_and_not_what_lies_in_the_checkout() {
    if !on_x86() {
        return;
    }
    let release = release("host");
    let answer = rebuild(&release);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(answer.json()["rows"].as_array().unwrap().len(), 8);
    let left = fs::read_dir(release.home().join("cache/rebuild")).unwrap();
    assert_eq!(left.count(), 0, "nothing is left behind");
}

#[test]
fn a_build_that_gives_another_byte_is_named_and_kept() {
    if !on_x86() {
        return;
    }
    let release = release("host");
    flip(
        &prepared(&release).join("auth-service/bin/auth-service"),
        77,
        0,
    );
    let answer = rebuild(&release);
    assert_eq!(answer.code, 1, "{answer:?}");
    let row = answer.row("auth-service");
    assert_eq!(row["difference"]["offset"]["at"], 77);
    let note = row["note"].as_str().unwrap();
    let kept = note.rsplit(' ').next().unwrap();
    assert!(Path::new(kept).join("dist/auth-service").is_dir(), "{note}");
}

#[test]
fn other_tools_are_no_proof_and_are_listed() {
    if !on_x86() {
        return;
    }
    let release = release("host");
    write_manifest(&release, "host", "1.96.0", false);
    let answer = rebuild(&release);
    assert_eq!(answer.code, 5, "{answer:?}");
    assert!(
        answer
            .stdout
            .contains("rustc 1.95.0 (the manifest's: 1.96.0)")
    );
}

#[test]
fn what_nobody_can_build_again_was_not_checked() {
    if !on_x86() {
        return;
    }
    let release = release("host");
    write_manifest(&release, "host", "1.95.0", true);
    let dirty = rebuild(&release);
    assert_eq!(dirty.code, 5);
    assert!(
        dirty.stdout.contains("differ from their commit"),
        "{dirty:?}"
    );

    write_manifest(&release, "host", "1.95.0", false);
    release.change_manifest(|draft| {
        draft.toolchain.insert("profile".into(), "dev".into());
    });
    let development = rebuild(&release);
    assert_eq!(development.code, 5);
    assert!(development.stdout.contains("development build"));

    release.write_manifest(&json!({ "builder": "host" }));
    let unknown = rebuild(&release);
    assert_eq!(unknown.code, 5);
    assert!(
        unknown.stdout.contains("does not have the commit"),
        "{unknown:?}"
    );

    release.write_manifest(&json!({
        "builder": "host",
        "source": { "revision": null, "dirty": false, "locks": {} },
    }));
    let none = rebuild(&release);
    assert_eq!(none.code, 5);
    assert!(none.stdout.contains("names no commit"), "{none:?}");
}

#[test]
fn a_commit_that_nothing_in_the_checkout_leads_to_is_not_run() {
    if !on_x86() {
        return;
    }
    let release = release("host");
    let root = checkout(&release);
    let tree = git(&root, &["rev-parse", "HEAD^{tree}"]);
    let proposed = git(
        &root,
        &["commit-tree", &tree, "-p", "HEAD", "-m", "a stranger's"],
    );
    release.write_manifest(&json!({
        "builder": "host",
        "source": { "revision": proposed, "dirty": false, "locks": {} },
    }));
    prepare_again(&release);
    let answer = rebuild(&release);
    assert_eq!(answer.code, 5, "{answer:?}");
    assert!(answer.stdout.contains("no branch and no tag"), "{answer:?}");
    assert!(
        !release.home().join("cache/rebuild").exists(),
        "nothing ran"
    );
    for name in ["refs/tags/v1", "refs/remotes/origin/main"] {
        git(&root, &["update-ref", name, &proposed]);
        assert_eq!(rebuild(&release).code, 0, "{name}");
        git(&root, &["update-ref", "-d", name]);
    }
    git(&root, &["checkout", "-q", "--force", "--detach", &proposed]);
    assert_eq!(rebuild(&release).code, 0, "it is what is checked out");
}

#[test]
fn locks_that_the_commit_does_not_have_are_a_difference() {
    if !on_x86() {
        return;
    }
    let release = release("host");
    let revision = git(&checkout(&release), &["rev-parse", "HEAD"]);
    let of = |contents: &[u8]| attest::Sha256::of(contents).to_string();
    for (file, contents, code) in [
        ("marker", &b"committed"[..], 0),
        ("marker", b"changed since", 1),
        ("flake.lock", b"", 3),
    ] {
        release.write_manifest(&json!({
            "builder": "host",
            "source": { "revision": revision, "dirty": false, "locks": { file: of(contents) } },
        }));
        prepare_again(&release);
        let answer = rebuild(&release);
        assert_eq!(answer.code, code, "{file}: {answer:?}");
        let rows = answer.json()["rows"].as_array().unwrap().len();
        assert_eq!(rows, 9, "eight artifacts and a lock");
    }
}

#[test]
fn a_build_that_fails_says_why() {
    if !on_x86() {
        return;
    }
    let release = release("host");
    fs::remove_dir_all(prepared(&release)).unwrap();
    let answer = rebuild(&release);
    assert_eq!(answer.code, 5);
    assert!(answer.stdout.contains("./twist build failed"), "{answer:?}");
}

/// A folder with a `nix` that does this.
fn fake_nix(release: &Release, script: &str) -> PathBuf {
    let tools = release.home().join("tools");
    let text = format!("#!/bin/sh\n{script}\n");
    put(&tools, "nix", text.as_bytes(), true);
    tools
}

const STORE: &str = "/nix/store/00000000000000000000000000000000-not-there";

#[test]
fn a_nix_that_fails_or_talks_nonsense_was_not_checked() {
    if !on_x86() {
        return;
    }
    let release = release("nix");
    for (script, said) in [
        (
            "echo 'error: no such attribute' >&2; exit 1",
            "no such attribute",
        ),
        ("echo /etc", "no store path"),
        ("echo", "no store path"),
    ] {
        let tools = fake_nix(&release, script);
        let answer = rebuild_with(&release, Some(&tools));
        assert_eq!(answer.code, 5, "{answer:?}");
        assert!(answer.stdout.contains(said), "{said}: {answer:?}");
    }
}

#[test]
fn a_nix_build_that_is_not_deterministic_is_a_difference() {
    if !on_x86() {
        return;
    }
    let release = release("nix");
    let script = format!(
        "case \"$*\" in\n*--rebuild*) echo \"error: derivation may not be deterministic: output '{STORE}' differs\" >&2; exit 1 ;;\n*) echo {STORE} ;;\nesac"
    );
    let answer = rebuild_with(&release, Some(&fake_nix(&release, &script)));
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(answer.stdout.contains("two builds on this machine differ"));
}

#[test]
fn a_nix_result_that_is_not_there_is_missing() {
    if !on_x86() {
        return;
    }
    let release = release("nix");
    let tools = fake_nix(&release, &format!("echo {STORE}"));
    assert_eq!(rebuild_with(&release, Some(&tools)).code, 3);
}

#[test]
fn the_flake_is_asked_for_the_commit() {
    if !on_x86() {
        return;
    }
    let release = release("nix");
    let revision = git(&checkout(&release), &["rev-parse", "HEAD"]);
    let script = "echo \"$*\" >>\"$TWIST_STATE_DIR.log\"; exit 1";
    rebuild_with(&release, Some(&fake_nix(&release, script)));
    let log = fs::read_to_string(release.home().join("state.log")).unwrap();
    let wanted = format!("?rev={revision}&shallow=1#packages.x86_64-linux.auth-service");
    assert!(log.contains(&wanted), "{log}");
}
