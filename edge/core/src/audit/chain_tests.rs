//! Fear: somebody who can write to the bucket changes the past and nobody notices.

use super::segment::{self, Header};
use super::{
    Append, Day, Detail, Flaw, Hash, Head, Record, Root, SignedRoot, Verdict, Verifier, Word,
};
use domain::EpochMs;
use domain::bytes::sha256;
use proptest::prelude::*;
use std::collections::BTreeMap;

type Objects = BTreeMap<String, Vec<u8>>;

const FIRST_DAY: u64 = 20_785;

/// A keyed hash in place of a signature: what matters here is who can make it.
fn mac(key: u8, message: &[u8]) -> [u8; 64] {
    let one = sha256(&[&[key], message].concat());
    let mut both = [0; 64];
    both[..32].copy_from_slice(&one);
    both[32..].copy_from_slice(&sha256(&one));
    both
}

fn record(n: u64) -> Record {
    let word = |text: &str| text.try_into().unwrap();
    Record {
        at: EpochMs::new(1_795_824_000_000 + n).unwrap(),
        actor: word("security-worker"),
        action: word("firewall.block"),
        object: format!("rule-{n}").try_into().unwrap(),
        result: "blocked".try_into().unwrap(),
        request_id: n
            .is_multiple_of(2)
            .then(|| format!("request-{n}").try_into().unwrap()),
        details: [(Detail::Route, "/api/v1/vau"), (Detail::Client, "0011")]
            .into_iter()
            .take(usize::try_from(n % 3).unwrap())
            .map(|(key, value)| (key, Word::try_from(value).unwrap()))
            .collect(),
    }
}

/// A log: for each day, the sizes of its segments. Every day but the last has a root.
fn log(days: &[Vec<u64>]) -> Objects {
    let mut objects = Objects::new();
    let (mut head, mut before, mut root_before) = (Head::START, Hash::ZERO, Hash::ZERO);
    for (number, sizes) in (0_u64..).zip(days) {
        let day = Day::new(FIRST_DAY + number);
        let first_of_day = head.seq + 1;
        for size in sizes {
            let first = head.seq + 1;
            let lines: Vec<String> = (0..*size)
                .map(|n| serde_json::to_string(&head.append(record(first + n))).unwrap())
                .collect();
            let header = Header::new(day, first, *size, before);
            let body = segment::body(&header, &lines).into_bytes();
            before = segment::hash(&body);
            objects.insert(header.key(), body);
        }
        if number + 1 < days.len() as u64 {
            let root = Root {
                day,
                first_seq: first_of_day,
                last_seq: head.seq,
                segments: sizes.len() as u64,
                segment_hash: before,
                prev_root_hash: root_before,
            };
            root_before = root.hash();
            put_root(&mut objects, root, 7);
        }
    }
    objects
}

fn put_root(objects: &mut Objects, root: Root, key: u8) {
    let signature = mac(key, &root.canonical());
    let place = root.key();
    let signed = SignedRoot::new(root, &signature);
    objects.insert(place, serde_json::to_vec(&signed).unwrap());
}

fn walk(objects: &Objects, since: Option<Day>) -> Verdict {
    let check = |message: &[u8], signature: &[u8; 64]| mac(7, message) == *signature;
    let mut verifier = Verifier::new(Some(&check), since);
    for (key, body) in objects {
        if verifier.wants(key) {
            verifier.object(key, body);
        }
    }
    verifier.finish()
}

fn flaws(objects: &Objects) -> Vec<Flaw> {
    let mut flaws: Vec<Flaw> = walk(objects, None)
        .findings
        .iter()
        .map(|f| f.flaw)
        .collect();
    flaws.sort_unstable();
    flaws.dedup();
    flaws
}

fn small() -> Objects {
    log(&[vec![3, 2], vec![4], vec![2, 2]])
}

fn edit(objects: &mut Objects, place: usize, change: impl Fn(Vec<&str>) -> Vec<&str>) {
    let (_, body) = objects.iter_mut().nth(place).unwrap();
    let text = String::from_utf8(body.clone()).unwrap();
    let lines = change(text.lines().collect());
    *body = format!("{}\n", lines.join("\n")).into_bytes();
}

#[test]
fn a_log_nobody_touched_is_whole() {
    let verdict = walk(&small(), None);
    assert_eq!(verdict.findings, []);
    assert_eq!(
        (verdict.records, verdict.segments, verdict.roots),
        (13, 5, 2)
    );
    assert_eq!(verdict.head.seq, 13);
    assert_eq!(verdict.signed_through, Some(Day::new(FIRST_DAY + 1)));
}

#[test]
fn what_the_bucket_has_deleted_for_its_age_is_no_flaw_when_it_is_said() {
    let mut objects = small();
    objects.retain(|key, _| !key.contains("2026-11-28"));
    assert!(!walk(&objects, None).findings.is_empty());
    let since = Day::new(FIRST_DAY + 1);
    assert_eq!(walk(&objects, Some(since)).findings, []);
    assert_eq!(walk(&small(), Some(since)).findings, []);
}

#[test]
fn each_kind_of_damage_has_its_name() {
    let mut missing = small();
    missing.pop_first();
    assert!(flaws(&missing).contains(&Flaw::Missing));

    let mut line_gone = small();
    edit(&mut line_gone, 0, |mut lines| {
        lines.remove(2);
        lines
    });
    assert!(flaws(&line_gone).contains(&Flaw::Missing));

    let mut swapped = small();
    edit(&mut swapped, 0, |mut lines| {
        lines.swap(1, 2);
        lines
    });
    assert!(flaws(&swapped).contains(&Flaw::Reordered));

    let mut exchanged = small();
    let keys: Vec<String> = exchanged.keys().take(2).cloned().collect();
    let (one, two) = (exchanged[&keys[0]].clone(), exchanged[&keys[1]].clone());
    exchanged.insert(keys[0].clone(), two);
    exchanged.insert(keys[1].clone(), one);
    assert!(flaws(&exchanged).contains(&Flaw::Reordered));

    let mut cut = small();
    let last = cut.values_mut().nth(4).unwrap();
    last.truncate(last.len() - 10);
    assert_eq!(flaws(&cut), [Flaw::Truncated]);

    // The last segment of a signed day, gone with everything after it but the root.
    let mut tail = small();
    let keys: Vec<String> = tail
        .keys()
        .filter(|key| !key.contains("roots"))
        .cloned()
        .collect();
    for key in &keys[1..] {
        tail.remove(key);
    }
    assert!(flaws(&tail).contains(&Flaw::Truncated));

    let mut foreign = small();
    foreign.insert("audit-notes".to_owned(), Vec::new());
    assert_eq!(flaws(&foreign), [Flaw::Foreign]);

    let mut unsigned = small();
    unsigned.remove("audit/roots/2026-11-29");
    assert_eq!(flaws(&unsigned), [Flaw::MissingRoot]);
}

#[test]
fn a_chain_that_was_written_anew_does_not_have_the_key() {
    // Everything recomputed with one record fewer, and roots signed by somebody else.
    let forged = log(&[vec![3, 1], vec![4], vec![2, 2]]);
    let mut kept_roots = forged.clone();
    for (key, body) in small().into_iter().filter(|(key, _)| key.contains("roots")) {
        kept_roots.insert(key, body);
    }
    assert!(!flaws(&kept_roots).is_empty());
    let mut other_key = small();
    for body in other_key
        .iter_mut()
        .filter(|(key, _)| key.contains("roots"))
        .map(|(_, body)| body)
    {
        let mut signed: SignedRoot = serde_json::from_slice(body).unwrap();
        signed = SignedRoot::new(signed.root.clone(), &mac(8, &signed.root.canonical()));
        *body = serde_json::to_vec(&signed).unwrap();
    }
    assert_eq!(flaws(&other_key), [Flaw::ForgedRoot]);
}

#[test]
fn the_bytes_are_the_published_ones() {
    let vector: serde_json::Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/audit-v1.json")).unwrap();
    let body = serde_json::json!({ "records": vector["records"] });
    let append = Append::parse(&serde_json::to_vec(&body).unwrap()).unwrap();
    let mut head = Head::START;
    let mut lines = Vec::new();
    for (record, canonical) in append
        .records
        .into_iter()
        .zip(vector["canonicalHex"].as_array().unwrap())
    {
        let chained = head.append(record);
        assert_eq!(hex::encode(chained.canonical()), *canonical);
        lines.push(serde_json::to_string(&chained).unwrap());
    }
    let signed: SignedRoot = serde_json::from_value(vector["signedRoot"].clone()).unwrap();
    let header = Header::new(signed.root.day, 1, 3, Hash::ZERO);
    let body = segment::body(&header, &lines);
    assert_eq!(body, vector["segment"]);
    assert_eq!(header.key(), vector["key"]);
    assert_eq!(
        segment::hash(body.as_bytes()).to_string(),
        vector["segmentHash"]
    );
    assert_eq!(
        hex::encode(signed.root.canonical()),
        vector["rootCanonicalHex"]
    );
    assert_eq!(signed.root.key(), vector["rootKey"]);
    assert!(super::signing_key(vector["privateKeyPem"].as_str().unwrap()).is_some());
}

proptest! {
    #[test]
    fn no_byte_can_be_changed_unseen(
        sizes in prop::collection::vec(prop::collection::vec(1..4_u64, 1..3), 2..4),
        object in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), flip in 1..=255_u8,
    ) {
        let mut objects = log(&sizes);
        prop_assert_eq!(flaws(&objects), []);
        // The text around a root is not signed; what it says is, and is compared below.
        let keys: Vec<String> = objects.keys().filter(|key| !key.contains("roots")).cloned().collect();
        let body = objects.get_mut(object.get(&keys)).unwrap();
        let at = byte.index(body.len());
        body[at] ^= flip;
        prop_assert!(!flaws(&objects).is_empty());
    }

    #[test]
    fn no_object_can_be_taken_away_unseen_but_the_newest(
        sizes in prop::collection::vec(prop::collection::vec(1..4_u64, 1..3), 2..5),
        which in any::<prop::sample::Index>(),
    ) {
        let mut objects = log(&sizes);
        let newest = objects.keys().rfind(|key| !key.contains("roots")).unwrap().clone();
        let keys: Vec<String> = objects.keys().filter(|key| **key != newest).cloned().collect();
        objects.remove(which.get(&keys));
        // The newest day may not be signed yet; a root before it has to be there while it has records.
        let newest_day = newest.split('/').nth(1).unwrap();
        prop_assert!(!flaws(&objects).is_empty() || which.get(&keys).contains(newest_day));
    }

    #[test]
    fn what_a_root_says_cannot_be_changed(
        sizes in prop::collection::vec(prop::collection::vec(1..4_u64, 1..3), 2..4), change in 0..5_u8,
    ) {
        let mut objects = log(&sizes);
        let body = objects.iter_mut().find(|(key, _)| key.contains("roots")).unwrap().1;
        let mut signed: SignedRoot = serde_json::from_slice(body).unwrap();
        match change {
            0 => signed.root.first_seq += 1,
            1 => signed.root.last_seq += 1,
            2 => signed.root.segments += 1,
            3 => signed.root.segment_hash.0[0] ^= 1,
            _ => signed.root.prev_root_hash.0[0] ^= 1,
        }
        *body = serde_json::to_vec(&signed).unwrap();
        prop_assert!(flaws(&objects).contains(&Flaw::ForgedRoot));
    }
}
