//! One flipped bit, anywhere.

use crate::kit::release::flip;
use crate::kit::{Release, cases};
use attest::{Entry, Offset, Verdict};
use proptest::prelude::*;
use std::sync::{Mutex, OnceLock};
use twistctl::verify::Outcome;

/// One release for all cases; each puts back what it changed.
fn release() -> &'static Mutex<Release> {
    static RELEASE: OnceLock<Mutex<Release>> = OnceLock::new();
    RELEASE.get_or_init(|| Mutex::new(Release::new()))
}

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

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(96), ..ProptestConfig::default() })]

    #[test]
    fn any_flipped_bit_is_found_where_it_is(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        bit in 0u8..8,
        with_reference in any::<bool>(),
    ) {
        let release = release().lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let files = files(&release);
        let (artifact, file, size) = which.get(&files);
        let at = place.index(usize::try_from(*size).unwrap());
        let path = release.dist().join(artifact).join(file);
        flip(&path, at, bit);
        let report = release.check_dist(with_reference);
        flip(&path, at, bit);

        prop_assert_eq!(report.outcome(), Outcome::Differs);
        for row in &report.rows {
            if row.artifact.as_deref() != Some(artifact) {
                prop_assert_eq!(&row.verdict, &Verdict::Match);
                continue;
            }
            let Verdict::Differs(found) = &row.verdict else {
                return Err(TestCaseError::fail(format!("{row:?}")));
            };
            prop_assert_eq!(found.file.as_ref(), Some(file));
            let at = at as u64;
            match found.offset {
                Offset::At(byte) => prop_assert_eq!((with_reference, byte), (true, at)),
                Offset::Within { from, to } => {
                    prop_assert!(!with_reference && from <= at && at <= to && to - from < 65_536);
                }
                Offset::Unknown => return Err(TestCaseError::fail("no offset")),
            }
        }
    }

    #[test]
    fn no_bit_of_the_manifest_can_change_and_its_signature_stay_good(
        place in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let release = release().lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let bytes = std::fs::read(release.manifest()).unwrap();
        let changed = release.home().join("changed.json");
        let mut other = bytes.clone();
        other[place.index(bytes.len())] ^= 1 << bit;
        std::fs::write(&changed, other).unwrap();
        let report = twistctl::verify::run(&twistctl::verify::Request {
            manifest: changed,
            signature: Some(release.signature()),
            keys: vec![release.key()],
            dist: vec![release.dist()],
            ..Default::default()
        });
        let outcome = report.outcome();
        prop_assert!(
            matches!(outcome, Outcome::BadInput | Outcome::BadSignature),
            "{:?}", report
        );
        prop_assert!(report.rows.is_empty());
    }
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
