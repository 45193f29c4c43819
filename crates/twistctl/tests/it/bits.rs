//! One flipped bit, anywhere.

use crate::kit::release::flip;
use crate::kit::{Release, cases};
use attest::{Entry, Offset, Verdict};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use std::fs;
use twistctl::verify::{self, Outcome, Report, Request};

/// Every file: its artifact, its path in it, its size.
fn files(release: &Release) -> Vec<(String, String, u64)> {
    let manifest = release.parsed();
    let mut files = Vec::new();
    for artifact in manifest.artifacts() {
        for entry in &artifact.files {
            if let Entry::File { path, size, .. } = entry {
                files.push((artifact.name.to_string(), path.to_string(), *size));
            }
        }
    }
    files
}

fn runner() -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases: cases(96),
        ..ProptestConfig::default()
    })
}

#[test]
fn any_flipped_bit_is_found_where_it_is() {
    let release = Release::new();
    let files = files(&release);
    let any_bit = (any::<Index>(), any::<Index>(), 0u8..8, any::<bool>());
    let check = |(which, place, bit, with_reference): (Index, Index, u8, bool)| {
        let (artifact, file, size) = which.get(&files);
        let at = place.index(usize::try_from(*size).unwrap());
        let path = release.dist().join(artifact).join(file);
        flip(&path, at, bit);
        let report = release.check_dist(with_reference);
        flip(&path, at, bit);
        names(&report, artifact, file, at as u64, with_reference)
    };
    runner().run(&any_bit, check).unwrap();
}

/// The report says no to this byte of this file, and yes to everything else.
fn names(
    report: &Report,
    artifact: &str,
    file: &str,
    at: u64,
    exactly: bool,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(report.outcome(), Outcome::Differs);
    for row in &report.rows {
        if row.artifact.as_deref() != Some(artifact) {
            prop_assert_eq!(&row.verdict, &Verdict::Match);
            continue;
        }
        let Verdict::Differs(found) = &row.verdict else {
            return Err(TestCaseError::fail(format!("{row:?}")));
        };
        prop_assert_eq!(found.file.as_deref(), Some(file));
        match found.offset {
            Offset::At(byte) => prop_assert_eq!((exactly, byte), (true, at)),
            Offset::Within { from, to } => {
                prop_assert!(!exactly && from <= at && at <= to && to - from < 65_536);
            }
            Offset::Unknown => return Err(TestCaseError::fail("no offset")),
        }
    }
    Ok(())
}

#[test]
fn no_bit_of_the_manifest_can_change_and_its_signature_stay_good() {
    let release = Release::new();
    let good = fs::read(release.manifest()).unwrap();
    let request = Request {
        manifest: release.home().join("changed.json"),
        signature: Some(release.signature()),
        keys: vec![release.key()],
        dist: vec![release.dist()],
        ..Request::default()
    };
    let check = |(place, bit): (Index, u8)| {
        let mut bytes = good.clone();
        bytes[place.index(good.len())] ^= 1 << bit;
        fs::write(&request.manifest, bytes).unwrap();
        let report = verify::run(&request);
        let outcome = report.outcome();
        prop_assert!(matches!(outcome, Outcome::BadInput | Outcome::BadSignature));
        prop_assert!(report.rows.is_empty());
        Ok(())
    };
    runner().run(&(any::<Index>(), 0u8..8), check).unwrap();
}

#[test]
fn the_first_the_last_and_the_bytes_at_the_seams_are_found_by_the_program() {
    let release = Release::new();
    let file = release.dist().join("auth-service/bin/auth-service");
    let good = release.good().display().to_string();
    let dist = release.dist().display().to_string();
    for at in [0, 65_535, 65_536, 131_071, 131_072, 149_999] {
        flip(&file, at, 7);
        let answer = release.verify(&["--dist", &dist, "--reference", &good]);
        flip(&file, at, 7);
        assert_eq!(answer.code, 1);
        assert_eq!(answer.row("auth-service")["difference"]["offset"]["at"], at);
    }
    assert_eq!(release.verify(&["--dist", &dist]).code, 0);
}
