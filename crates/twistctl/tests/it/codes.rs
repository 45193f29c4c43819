//! Each exit code, from the program itself.

use crate::kit::release::{flip, put};
use crate::kit::{Release, answer, twistctl};
use std::fs;

#[test]
fn nothing_asked_for_is_no_yes() {
    let release = Release::new();
    fs::remove_file(release.signature()).unwrap();
    let answer = release.verify(&[]);
    assert_eq!(answer.code, 2);
    assert_eq!(answer.json()["verdict"], "bad-input");
    assert!(
        answer.stderr.contains("nothing was asked for"),
        "{answer:?}"
    );
}

#[test]
fn a_signature_that_cannot_be_checked_and_was_not_asked_for_is_nothing() {
    let release = Release::new();
    assert_eq!(release.verify(&[]).code, 2);
}

#[test]
fn wrong_options_are_bad_input() {
    let release = Release::new();
    let key = release.key().display().to_string();
    for (args, said) in [
        (
            &["--artifact", "nobody", "--dist", "dist"][..],
            "no artifact \"nobody\"",
        ),
        (&["--oci", "nobody=x"], "no artifact \"nobody\""),
        (&["--oci", "auth-service=x"], "is a service"),
        (&["--service", "sbom=http://127.0.0.1:1"], "is a sbom"),
        (&["--service", "ftp://127.0.0.1"], "http://"),
        (
            &["--dist", "dist", "--reference", "nowhere"],
            "no such folder",
        ),
        (&["--artifact", "sbom"], "--artifact says how"),
        (
            &["--reference", "good", "--key", &key],
            "--reference says how",
        ),
        (&["--diffoscope", "--key", &key], "--diffoscope says how"),
        (&["--dist", "dist", "--key", "nowhere.pem"], "nowhere.pem"),
        (&["--dist", "dist", "--key", "release.json"], "public key"),
        (
            &["--dist", "dist", "--key", &key, "--signature", "nowhere"],
            "nowhere",
        ),
    ] {
        let answer = release.verify(args);
        assert_eq!(answer.code, 2, "{args:?}: {answer:?}");
        assert!(answer.stderr.contains(said), "{args:?}: {}", answer.stderr);
        assert_eq!(answer.json()["exitCode"], 2);
    }
    let mut unknown = twistctl(release.home());
    unknown.args(["verify", "--no-such-option"]);
    assert_eq!(answer(unknown).code, 2);
}

#[test]
fn the_worst_answer_decides() {
    let release = Release::new();
    // Not checked.
    let refused = "http://127.0.0.1:1";
    let dist = release.dist().display().to_string();
    assert_eq!(release.verify(&["--service", refused]).code, 5);
    assert_eq!(
        release
            .verify(&["--dist", &dist, "--service", refused])
            .code,
        5
    );
    // Missing is worse.
    fs::remove_dir_all(release.dist().join("sbom")).unwrap();
    assert_eq!(
        release
            .verify(&["--dist", &dist, "--service", refused])
            .code,
        3
    );
    // A difference is worse.
    flip(&release.dist().join("auth-service/bin/auth-service"), 9, 0);
    assert_eq!(
        release
            .verify(&["--dist", &dist, "--service", refused])
            .code,
        1
    );
    // A wrong signature is worse.
    let key = release.key().display().to_string();
    flip(&release.signature(), 5, 0);
    let args = ["--dist", &dist, "--service", refused, "--key", &key];
    assert_eq!(release.verify(&args).code, 4);
    // A manifest that is none is worst.
    flip(&release.manifest(), 5, 0);
    assert_eq!(release.verify(&args).code, 2);
}

#[test]
fn the_table_for_people_says_the_same_as_the_json() {
    let release = Release::new();
    flip(
        &release.dist().join("edge-vau-processor/index_bg.wasm"),
        66_000,
        2,
    );
    let mut command = twistctl(release.home());
    command.args(["verify", "--manifest", "release.json", "--dist", "dist"]);
    command.args(["--reference", "good"]);
    let answer = answer(command);
    assert_eq!(answer.code, 1);
    for said in [
        "match    auth-service",
        "DIFFERS  edge-vau-processor",
        "index_bg.wasm",
        "byte 66000",
        "no: 7 match, 1 differs (exit code 1)",
        "was not checked: no key",
    ] {
        assert!(
            answer.stdout.contains(said),
            "{said:?} in {}",
            answer.stdout
        );
    }
}

#[test]
fn names_from_strangers_do_not_reach_the_terminal_as_they_are() {
    let release = Release::new();
    fs::write(release.dist().join("evil\u{1b}[2J\nname"), "x").unwrap();
    fs::write(release.dist().join("turned\u{202e}nosj.esaeler"), "x").unwrap();
    fs::write(release.dist().join("un\u{200b}seen\u{2028}"), "x").unwrap();
    let mut command = twistctl(release.home());
    command.args(["verify", "--manifest", "release.json", "--dist", "dist"]);
    let answer = answer(command);
    assert_eq!(answer.code, 1);
    assert!(answer.stdout.contains("turned\u{fffd}nosj"), "{answer:?}");
    for hidden in ['\u{1b}', '\u{202e}', '\u{200b}', '\u{2028}'] {
        assert!(!answer.stdout.contains(hidden), "{hidden:?}");
    }
    let mut command = twistctl(release.home());
    command.args(["verify", "--manifest", "no\u{202e}where", "--dist", "dist"]);
    let unread = crate::kit::answer(command);
    assert!(unread.stderr.contains("no\u{fffd}where"), "{unread:?}");
    assert!(!answer.stdout.contains("evil\u{fffd}[2J\nname"));
}

#[test]
fn diffoscope_is_asked_about_the_two_files() {
    let release = Release::new();
    flip(&release.dist().join("edge-vau-processor/index.js"), 0, 0);
    let tools = release.home().join("tools");
    let script = b"#!/bin/sh\nfor word; do last=$word; done\necho \"asked about $last\"\nwhile :; do echo more; done\n";
    put(&tools, "diffoscope", script, true);
    let ask = |path: &str| {
        let mut command = twistctl(release.home());
        command
            .env("PATH", path)
            .args(["verify", "--json", "--diffoscope"]);
        command.args([
            "--manifest",
            "release.json",
            "--dist",
            "dist",
            "--reference",
            "good",
        ]);
        answer(command).row("edge-vau-processor")["diffoscope"].clone()
    };
    let said = ask(&tools.display().to_string());
    let lines = said.as_array().unwrap();
    assert_eq!(lines[0], "asked about dist/edge-vau-processor/index.js");
    assert_eq!(lines.len(), 50);
    assert_eq!(ask("/nowhere")[0], "diffoscope is not installed");
}
