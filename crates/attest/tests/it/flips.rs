//! No change of an artifact, however small, is taken for the artifact.

use crate::world::{self, artifact, file, folder};
use attest::{Kind, Node, Offset, Verdict, compare};
use proptest::prelude::*;

/// Two blocks and a little.
const LARGE: usize = 140_000;

/// Names and bytes of some files, one of them as long as several blocks.
fn files() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let small = ("[a-z]{1,8}", prop::collection::vec(any::<u8>(), 1..200));
    let large = prop::collection::vec(any::<u8>(), 64..65)
        .prop_map(|seed| seed.iter().copied().cycle().take(LARGE).collect());
    (prop::collection::vec(small, 0..6), large).prop_map(|(mut files, large)| {
        files.push(("large".into(), large));
        files
    })
}

fn tree(files: &[(String, Vec<u8>)]) -> Node {
    Node::Folder(
        files
            .iter()
            .map(|(name, contents)| (name.clone(), file(contents)))
            .collect(),
    )
}

fn sbom(node: &Node) -> attest::Artifact {
    artifact("sbom", Kind::Sbom, node)
}

proptest! {
    #[test]
    fn a_flipped_bit_is_found_named_and_placed(
        files in files(),
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        bit in 0..8_u8,
        with_reference in any::<bool>(),
    ) {
        let good = tree(&files);
        let Node::Folder(mut entries) = good.clone() else { panic!("no folder") };
        let name = entries.keys().nth(which.index(entries.len())).unwrap().clone();
        let Some(Node::File { contents, .. }) = entries.get_mut(&name) else { panic!("no folder") };
        let at = place.index(contents.len());
        contents[at] ^= 1 << bit;
        let bad = Node::Folder(entries);
        let artifact = sbom(&good);

        prop_assert_eq!(compare(&artifact, &good, None), Verdict::Match);
        let Verdict::Differs(found) = compare(&artifact, &bad, with_reference.then_some(&good)) else {
            panic!("taken as equal");
        };
        prop_assert_eq!(found.file.as_deref(), Some(name.as_str()));
        let at = at as u64;
        match found.offset {
            Offset::At(offset) => prop_assert!(with_reference && offset == at),
            Offset::Within { from, to } => prop_assert!(!with_reference && from <= at && at <= to),
            Offset::Unknown => prop_assert!(false, "no place"),
        }
    }

    #[test]
    fn a_damaged_reference_never_tells_a_wrong_place(
        files in files(),
        place in any::<prop::sample::Index>(),
    ) {
        let good = tree(&files);
        let damage = |at: usize| {
            let mut files = files.clone();
            let last = files.last_mut().unwrap();
            last.1[at] ^= 1;
            tree(&files)
        };
        let at = place.index(LARGE);
        let reference = damage((at + LARGE / 2) % LARGE);
        let Verdict::Differs(found) = compare(&sbom(&good), &damage(at), Some(&reference)) else {
            panic!("taken as equal");
        };
        let at = at as u64;
        let around = matches!(found.offset, Offset::Within { from, to } if from <= at && at <= to);
        prop_assert!(around, "{:?}", found.offset);
    }
}

fn verdict(expected: &Node, actual: &Node) -> (Option<String>, String) {
    match compare(&sbom(expected), actual, Some(expected)) {
        Verdict::Differs(found) => (found.file, found.detail),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_content_counts_too() {
    let plain = folder([("run", file(b"x")), ("to", file(b"y"))]);
    let link = |target: &str| Node::Link {
        target: target.into(),
    };
    let named = |node: &Node| verdict(&plain, node);

    let runnable = folder([("run", world::program(b"x")), ("to", file(b"y"))]);
    assert!(named(&runnable).1.contains("not executable"));
    let linked = folder([("run", link("to")), ("to", file(b"y"))]);
    assert_eq!(named(&linked).0.as_deref(), Some("run"));
    let (a, b) = (folder([("l", link("a"))]), folder([("l", link("b"))]));
    assert_eq!(verdict(&a, &b).0.as_deref(), Some("l"));
    let less = folder([("run", file(b"x"))]);
    assert_eq!(named(&less).0.as_deref(), Some("to"));
    for name in ["a", "s", "z"] {
        let mut more = plain.clone();
        let Node::Folder(entries) = &mut more else {
            panic!("no folder")
        };
        entries.insert(name.into(), file(b""));
        assert_eq!(named(&more).0.as_deref(), Some(name));
    }
    let renamed = folder([("run", file(b"x")), ("two", file(b"y"))]);
    assert_eq!(named(&renamed).0.as_deref(), Some("to"));
    let empty_folder = folder([
        ("run", file(b"x")),
        ("to", file(b"y")),
        ("void", folder([])),
    ]);
    assert!(named(&empty_folder).1.contains("empty folders"));
    let (short, long) = (
        folder([("f", file(b"abc"))]),
        folder([("f", file(b"abcd"))]),
    );
    let Verdict::Differs(found) = compare(&sbom(&short), &long, Some(&short)) else {
        panic!()
    };
    assert_eq!(found.offset, Offset::At(3));
    assert_eq!(verdict(&short, &file(b"abc")).0.as_deref(), Some("f"));
}

#[test]
fn a_file_where_a_folder_was_is_not_the_artifact() {
    let expected = folder([("a", folder([("b", file(b"x"))])), ("a-c", file(b"y"))]);
    let actual = folder([("a", file(b"x")), ("a-c", file(b"y"))]);
    verdict(&expected, &actual);
    assert_eq!(compare(&sbom(&expected), &expected, None), Verdict::Match);
}
