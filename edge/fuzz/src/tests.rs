//! Every target over its corpus, and over what comes of changing the corpus at random.

mod change;

use crate::{TARGETS, Target};
use change::Dice;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Made-up inputs for each target: a few seconds for all of them.
const CASES: u64 = 2_000;
/// Of all corpora together, so that they stay a small part of the checkout.
const MAX_CORPUS_BYTES: usize = 300 * 1024;

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target.name);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn run(target: &Target, input: &[u8]) {
    let ended = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    assert!(
        ended.is_ok(),
        "{} fails for {:?}",
        target.name,
        input.escape_ascii().to_string()
    );
}

#[test]
fn no_input_of_a_corpus_breaks_its_reader() {
    let mut bytes = 0;
    for target in TARGETS {
        let inputs = corpus(target);
        assert!(!inputs.is_empty(), "{} has no corpus", target.name);
        for input in inputs {
            bytes += input.len();
            run(target, &input);
        }
    }
    assert!(bytes <= MAX_CORPUS_BYTES, "{bytes}");
}

#[test]
fn every_corpus_has_its_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(crate::find(&name).is_some(), "{name}");
    }
}

#[test]
fn no_made_up_input_breaks_a_reader() {
    for target in TARGETS {
        let inputs = corpus(target);
        let mut dice = Dice::new(target.name);
        for _ in 0..CASES {
            let input = dice.change(&inputs);
            run(target, &input);
        }
    }
}
