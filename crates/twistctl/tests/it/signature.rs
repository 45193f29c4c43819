//! The signature.

use crate::kit::Release;
use crate::kit::release::{flip, put};
use crate::kit::{answer, twistctl};
use attest::SigningKey;
use std::fs;

fn key(release: &Release) -> String {
    release.key().display().to_string()
}

fn other_key(release: &Release) -> String {
    let path = release.home().join("other.pem");
    fs::write(&path, SigningKey::from_seed(&[8; 32]).public().to_pem()).unwrap();
    path.display().to_string()
}

#[test]
fn a_good_signature_alone_is_an_answer() {
    let release = Release::new();
    let answer = release.verify(&["--key", &key(&release)]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let signature = &answer.json()["signature"];
    assert_eq!(signature["status"], "valid");
    assert_eq!(
        signature["keyId"],
        SigningKey::from_seed(&[7; 32]).public().id()
    );
    assert_eq!(signature["keyFile"], key(&release));
    let mut command = twistctl(release.home());
    command.args(["verify", "--manifest", "release.json", "--key", "key.pem"]);
    let text = crate::kit::answer(command).stdout;
    assert!(text.contains("yes, signature only"), "{text}");
    assert!(text.contains(" in key.pem\n"), "{text}");
}

#[test]
fn a_link_to_nowhere_as_signature_is_no_missing_one() {
    let release = Release::new();
    fs::remove_file(release.signature()).unwrap();
    std::os::unix::fs::symlink("nowhere", release.signature()).unwrap();
    let dist = release.dist().display().to_string();
    assert_eq!(release.verify(&["--dist", &dist]).code, 2);
}

#[test]
fn one_of_several_keys_is_enough() {
    let release = Release::new();
    let args = ["--key", &other_key(&release), "--key", &key(&release)];
    assert_eq!(release.verify(&args).code, 0);
}

#[test]
fn another_key_ends_it_before_anything_else_is_looked_at() {
    let release = Release::new();
    let dist = release.dist().display().to_string();
    let answer = release.verify(&["--key", &other_key(&release), "--dist", &dist]);
    assert_eq!(answer.code, 4);
    assert_eq!(answer.json()["rows"].as_array().unwrap().len(), 0);
    assert_eq!(answer.json()["signature"]["status"], "wrong");
}

#[test]
fn damaged_signatures_are_wrong_ones() {
    let release = Release::new();
    let good = fs::read(release.signature()).unwrap();
    for bad in [
        &b""[..],
        b"hello",
        &good[..40],
        &[b'A'; 88][..],
        b"\xff\xfe",
    ] {
        fs::write(release.signature(), bad).unwrap();
        let code = release.verify(&["--key", &key(&release)]).code;
        // What is not even text cannot be read as a signature file.
        assert_eq!(code, if bad == b"\xff\xfe" { 2 } else { 4 }, "{bad:?}");
    }
}

#[test]
fn a_signature_that_was_taken_away_is_noticed_by_whoever_has_a_key() {
    let release = Release::new();
    fs::remove_file(release.signature()).unwrap();
    let dist = release.dist().display().to_string();
    let answer = release.verify(&["--key", &key(&release), "--dist", &dist]);
    assert_eq!(answer.code, 4);
    assert_eq!(answer.json()["signature"]["status"], "not-signed");
    // Whoever did not ask for one is told.
    let answer = release.verify(&["--dist", &dist]);
    assert_eq!(answer.code, 0);
    assert_eq!(answer.json()["signature"]["status"], "not-signed");
}

#[test]
fn a_signature_asked_for_without_a_key_was_not_checked() {
    let release = Release::new();
    let signature = release.signature().display().to_string();
    let answer = release.verify(&["--signature", &signature]);
    assert_eq!(answer.code, 5);
    assert_eq!(answer.json()["signature"]["status"], "not-checked");
}

/// A folder that passes for a checkout.
fn checkout(release: &Release) -> std::path::PathBuf {
    let root = release.home().join("checkout");
    put(&root, "Cargo.lock", b"", false);
    put(&root, "crates/twistctl/Cargo.toml", b"", false);
    root
}

#[test]
fn the_keys_of_the_checkout_are_used_when_none_is_given() {
    let release = Release::new();
    let root = checkout(&release);
    put(&root, "keys/release/README.md", b"about keys", false);
    let pem = SigningKey::from_seed(&[7; 32]).public().to_pem();
    put(&root, "keys/release/2026.pem", pem.as_bytes(), false);
    let verify = || {
        let mut command = twistctl(release.home());
        command.env("TWIST_ROOT", &root).args(["verify", "--json"]);
        command.args(["--manifest", "release.json", "--dist", "dist"]);
        answer(command)
    };
    let good = verify();
    assert_eq!(good.code, 0, "{good:?}");
    let signature = &good.json()["signature"];
    assert_eq!(signature["status"], "valid");
    let file = root.join("keys/release/2026.pem").display().to_string();
    assert_eq!(signature["keyFile"], file);
    let detail = signature["detail"].as_str().unwrap();
    assert!(detail.contains("of the checkout"), "{detail}");
    // Nobody asked for it, so alone it is no answer.
    let mut alone = twistctl(release.home());
    alone.env("TWIST_ROOT", &root);
    alone.args(["verify", "--json", "--manifest", "release.json"]);
    let alone = answer(alone);
    assert_eq!(alone.code, 2);
    assert!(alone.stderr.contains("nothing was asked for"), "{alone:?}");
    flip(&release.signature(), 3, 0);
    assert_eq!(
        verify().code,
        4,
        "nobody asked, but it lies there and is wrong"
    );
}

#[test]
fn what_sign_makes_verify_takes() {
    let release = Release::new();
    let private = release.home().join("private.pem");
    fs::write(&private, SigningKey::from_seed(&[9; 32]).to_pem()).unwrap();
    let mut sign = twistctl(release.home());
    sign.args(["sign", "--manifest", "release.json", "--key", "private.pem"]);
    assert_eq!(answer(sign).code, 0);
    fs::write(
        release.key(),
        SigningKey::from_seed(&[9; 32]).public().to_pem(),
    )
    .unwrap();
    assert_eq!(release.verify(&["--key", &key(&release)]).code, 0);
}
