//! Bytes that must not pass for a manifest.

use crate::world;
use attest::{Kind, Manifest, merkle};

fn text() -> String {
    String::from_utf8(world::manifest().to_bytes().unwrap()).unwrap()
}

fn refusal(bytes: &[u8]) -> String {
    match Manifest::parse(bytes) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("taken: {}", String::from_utf8_lossy(bytes)),
    }
}

/// The manifest with one text replaced, which must occur.
fn with(from: &str, to: &str) -> String {
    let text = text();
    assert!(text.contains(from), "{from} does not occur in {text}");
    text.replacen(from, to, 1)
}

#[test]
fn what_is_written_is_read_back() {
    let manifest = world::manifest();
    let bytes = manifest.to_bytes().unwrap();
    let read = Manifest::parse(&bytes).unwrap();
    assert_eq!(read, manifest);
    assert_eq!(read.to_bytes().unwrap(), bytes);
    let names: Vec<_> = read.artifacts().iter().map(|a| a.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "auth-service",
            "edge-vau-processor",
            "oci-auth-service",
            "pool"
        ]
    );
}

#[test]
fn a_truncated_manifest_is_refused_wherever_it_ends() {
    let text = text();
    for end in 0..text.len() {
        refusal(&text.as_bytes()[..end]);
    }
}

#[test]
fn one_flipped_bit_anywhere_is_noticed() {
    let bytes = text().into_bytes();
    let good = world::manifest();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 7);
        // Members above the artifacts are not beneath the root: what holds them is the signature.
        if let Ok(read) = Manifest::parse(&flipped) {
            assert_ne!(read, good);
            assert_eq!(read.artifacts(), good.artifacts(), "byte {at}");
        }
    }
}

#[test]
fn what_is_wrong_is_named() {
    let hash = world::service().nar_hash().to_string();
    for (bad, named) in [
        (
            with("\"version\":", "\"surprise\":1,\"version\":"),
            "surprise",
        ),
        (with("\"kind\":\"worker\"", "\"kind\":\"virus\""), "virus"),
        (
            with("\"kind\":\"worker\"", "\"kind\":\"worker\",\"extra\":null"),
            "extra",
        ),
        (
            with("\"path\":\"index.js\"", "\"path\":\"../index.js\""),
            "../index.js",
        ),
        (
            with("\"path\":\"index.js\"", "\"path\":\"/index.js\""),
            "/index.js",
        ),
        (
            with("\"path\":\"index.js\"", "\"path\":\"a/../index.js\""),
            "a/../index.js",
        ),
        (
            with(
                "\"name\":\"edge-vau-processor\"",
                "\"name\":\"auth-service\"",
            ),
            "auth-service",
        ),
        (with(&hash, &hash[..hash.len() - 4]), "artifacts[0]"),
        (
            with("\"merkleRoot\":\"", "\"merkleRoot\":\"0"),
            "merkleRoot",
        ),
        (
            with("twist-release-v1", "twist-release-v2"),
            "twist-release-v2",
        ),
        (
            with("\"builder\":\"nix\"", "\"builder\":\"magic\""),
            "magic",
        ),
        (
            with("\"executable\":true", "\"executable\":false"),
            "not executable",
        ),
        (
            with("\"dirty\":false", "\"dirty\":false,\"dirty\":true"),
            "dirty",
        ),
        (with("\"size\":5}", "\"size\":5.5}"), "size"),
        (with("\"size\":5}", "\"size\":-5}"), "size"),
        (
            with("\"version\":\"1.2.3\"", "\"version\":\"\\u001b[2J\""),
            "version",
        ),
        (format!("{} {{}}", text()), "end"),
        ("null".to_owned(), "expected"),
        ("[]".to_owned(), "expected"),
    ] {
        let refusal = refusal(bad.as_bytes());
        assert!(
            refusal.contains(named),
            "{refusal:?} does not name {named:?}"
        );
    }
}

#[test]
fn another_spelling_of_the_same_manifest_is_refused_so_that_one_signature_has_one_meaning() {
    let spaced = with("\"dirty\":false", "\"dirty\": false");
    assert!(refusal(spaced.as_bytes()).contains("canonical"));
    let line = format!("{}\n", text());
    assert!(refusal(line.as_bytes()).contains("canonical"));
    let escaped = with("auth-service", "\\u0061uth-service");
    assert!(refusal(escaped.as_bytes()).contains("canonical"));
    let twice = with("\"toolchain\":{", "\"toolchain\":{\"rustc\":\"1\",");
    assert!(refusal(twice.as_bytes()).contains("canonical"));
}

#[test]
fn a_change_of_an_artifact_is_not_covered_by_the_old_root() {
    let changed = with("\"closureSize\":null", "\"closureSize\":1");
    assert!(refusal(changed.as_bytes()).contains("merkleRoot"));
}

#[test]
fn artifacts_that_contradict_themselves_are_refused() {
    let spoil = |change: fn(&mut attest::Draft)| {
        let mut draft = world::draft();
        change(&mut draft);
        draft.finish().map(|_| ()).unwrap_err().to_string()
    };
    let reasons = [
        spoil(|draft| draft.artifacts.clear()),
        spoil(|draft| draft.artifacts[1].files.clear()),
        spoil(|draft| draft.artifacts[1].files.reverse()),
        spoil(|draft| draft.artifacts[2].image = None),
        spoil(|draft| draft.artifacts[1].kind = Kind::Image),
        spoil(|draft| draft.artifacts[1].kind = Kind::Service),
        spoil(|draft| draft.artifacts[0].program_hash = None),
        spoil(|draft| draft.artifacts[0].canonical_system = attest::System::Aarch64Linux),
        spoil(|draft| {
            let again = draft.artifacts[1].clone();
            draft.artifacts.push(again);
        }),
    ];
    let told: std::collections::BTreeSet<_> = reasons.iter().collect();
    assert_eq!(told.len(), reasons.len(), "{reasons:#?}");
}

#[test]
fn one_artifact_can_be_shown_to_belong_to_a_release_whose_root_alone_is_known() {
    let manifest = world::manifest();
    let leaves = manifest.leaves().unwrap();
    for (index, leaf) in leaves.iter().enumerate() {
        let proof = merkle::proof(&leaves, index).unwrap();
        assert!(merkle::verify_proof(
            manifest.merkle_root(),
            leaf,
            index,
            leaves.len(),
            &proof
        ));
        let other = world::artifact("auth-service", Kind::Service, &world::worker());
        let other = attest::canonical::to_bytes(&other).unwrap();
        assert!(!merkle::verify_proof(
            manifest.merkle_root(),
            &other,
            index,
            leaves.len(),
            &proof
        ));
    }
}
