//! Manifests that are none.

use crate::kit::Release;
use crate::kit::release::fifo;
use serde_json::{Value, json};
use std::fs;

fn refused(release: &Release, bytes: &[u8], said: &str) {
    fs::write(release.manifest(), bytes).unwrap();
    let dist = release.dist().display().to_string();
    let answer = release.verify(&["--dist", &dist]);
    assert_eq!(answer.code, 2, "{said}: {answer:?}");
    let json = answer.json();
    assert_eq!(json["rows"].as_array().unwrap().len(), 0);
    assert_eq!(json["manifest"], Value::Null);
    let error = json["error"].as_str().unwrap();
    assert!(error.contains(said), "{said:?} in {error:?}");
    assert!(error.contains("release.json"), "the file is named: {error}");
}

#[test]
fn a_manifest_that_is_cut_off_or_not_there_is_bad_input() {
    let release = Release::new();
    let good = fs::read(release.manifest()).unwrap();
    for end in [0, 1, good.len() / 2, good.len() - 1] {
        refused(&release, &good[..end], "EOF");
    }
    refused(&release, &[&good[..], b"\n"].concat(), "canonical");
    refused(&release, b"<html>", "expected value");
    fs::remove_file(release.manifest()).unwrap();
    let answer = release.verify(&["--dist", "dist"]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("cannot read"));
}

#[test]
fn a_file_without_end_is_not_read_to_its_end() {
    let release = Release::new();
    fs::remove_file(release.manifest()).unwrap();
    std::os::unix::fs::symlink("/dev/zero", release.manifest()).unwrap();
    let answer = release.verify(&["--dist", "dist"]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("a device or a pipe"), "{answer:?}");
    fs::remove_file(release.manifest()).unwrap();
    let huge = fs::File::create(release.manifest()).unwrap();
    huge.set_len(1 << 40).unwrap();
    let answer = release.verify(&["--dist", "dist"]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("is larger than"), "{answer:?}");
}

#[test]
fn a_pipe_as_manifest_signature_or_key_is_not_waited_for() {
    let release = Release::new();
    let pipe = release.home().join("pipe");
    fifo(&pipe);
    let pipe = pipe.display().to_string();
    let key = release.key().display().to_string();
    for args in [
        &["--key", &pipe, "--dist", "dist"][..],
        &["--signature", &pipe, "--key", &key],
        &["--dist", "dist"],
    ] {
        if args == ["--dist", "dist"] {
            fs::remove_file(release.manifest()).unwrap();
            fifo(&release.manifest());
        }
        let answer = release.verify(args);
        assert_eq!(answer.code, 2, "{args:?}");
        assert!(answer.stderr.contains("a pipe"), "{answer:?}");
    }
}

type Edit = fn(&mut Value);

#[test]
fn each_wrong_member_is_named() {
    let release = Release::new();
    let good: Value = serde_json::from_slice(&fs::read(release.manifest()).unwrap()).unwrap();
    let cases: &[(&str, Edit)] = &[
        ("unknown field `extra`", |all| all["extra"] = json!(1)),
        ("unknown field `extra`", |all| {
            all["artifacts"][0]["extra"] = json!(1);
        }),
        ("unknown field `extra`", |all| {
            all["artifacts"][0]["files"][0]["extra"] = json!(1);
        }),
        ("unknown variant `kernel`", |all| {
            all["artifacts"][0]["kind"] = json!("kernel");
        }),
        ("twist-release-v2", |all| {
            all["schema"] = json!("twist-release-v2");
        }),
        ("\"../bin/x\"", |all| {
            all["artifacts"][0]["files"][0]["path"] = json!("../bin/x");
        }),
        ("\"/bin/x\"", |all| {
            all["artifacts"][0]["files"][0]["path"] = json!("/bin/x");
        }),
        ("\"../x\"", |all| {
            all["artifacts"][0]["name"] = json!("../x");
        }),
        ("two artifacts are named auth-service", |all| {
            let artifacts = all["artifacts"].as_array_mut().unwrap();
            artifacts.insert(0, artifacts[0].clone());
        }),
        ("artifacts are not sorted", |all| {
            all["artifacts"].as_array_mut().unwrap().reverse();
        }),
        ("64 lower-case hexadecimal digits", |all| {
            all["artifacts"][0]["files"][0]["sha256"] = json!("00ff");
        }),
        ("64 lower-case hexadecimal digits", |all| {
            all["merkleRoot"] = json!("");
        }),
        ("no NAR hash", |all| {
            all["artifacts"][0]["narHash"] = json!("sha256-AAAA");
        }),
        ("merkleRoot is", |all| {
            all["artifacts"][0]["files"][0]["size"] = json!(149_999);
        }),
        ("missing field `artifacts`", |all| {
            all.as_object_mut().unwrap().remove("artifacts");
        }),
        ("it names no artifact", |all| all["artifacts"] = json!([])),
    ];
    for (said, edit) in cases {
        let mut manifest = good.clone();
        edit(&mut manifest);
        // serde_json's maps are sorted as the canonical form has them.
        refused(&release, manifest.to_string().as_bytes(), said);
    }
}
