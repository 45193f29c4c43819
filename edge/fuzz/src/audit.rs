//! The audit log.

use crate::parts::{now, part, text};
use edge_core::audit::segment::{self, Header};
use edge_core::audit::{Append, Chained, Check, Day, Hash, Head, SignedRoot, Verifier, Word};

/// Records that are taken are written and read back as the same, and a log of them is whole until it is touched.
pub(crate) fn append(input: &[u8]) {
    let Ok(append) = Append::parse(input) else {
        return;
    };
    let again = serde_json::to_vec(&append).unwrap_or_default();
    assert_eq!(Append::parse(&again).as_ref(), Ok(&append));
    let mut head = Head::START;
    let count = append.records.len() as u64;
    let mut lines = Vec::new();
    for record in append.records {
        let chained = head.append(record);
        let line = serde_json::to_string(&chained).unwrap_or_default();
        let read = serde_json::from_str::<Chained>(&line).ok();
        assert_eq!(read.as_ref(), Some(&chained));
        lines.push(line);
    }
    let header = Header::new(Day::of(now()), 1, count, Hash::ZERO);
    let body = segment::body(&header, &lines);
    let findings = |body: &str| {
        let mut verifier = Verifier::new(None, None);
        verifier.object(&header.key(), body.as_bytes());
        verifier.finish().findings
    };
    assert_eq!(findings(&body), []);
    assert_ne!(findings(&body.replacen("\"at\":", "\"at\":1", 1)), []);
    assert_ne!(findings(body.trim_end()), []);
}

/// Keys and objects, in turn. The walk tells of every object that is none of the log's.
pub(crate) fn log(input: &[u8]) {
    let check: Check<'_> = &|message, signature| message.first() == signature.first();
    for check in [None, Some(check)] {
        for since in [None, Some(Day::of(now()))] {
            walk(input, Verifier::new(check, since));
        }
    }
}

fn walk(input: &[u8], mut verifier: Verifier<'_>) {
    let mut rest = input;
    let mut foreign = 0;
    while !rest.is_empty() {
        let (key, body) = (text(part(&mut rest)), part(&mut rest));
        foreign += usize::from(!key.starts_with(segment::PREFIX));
        if verifier.wants(&key) {
            verifier.object(&key, body);
        }
        if let Ok(signed) = serde_json::from_slice::<SignedRoot>(body) {
            let _ = (signed.signature(), signed.root.hash());
        }
    }
    let verdict = verifier.finish();
    assert!(verdict.findings.len() >= foreign);
}

/// Every word, day, hash and header has one spelling.
pub(crate) fn words(input: &[u8]) {
    let text = text(input);
    if let Ok(word) = Word::<64>::try_from(text.as_str()) {
        assert!(word.as_str() == text && (1..=64).contains(&text.len()) && text.is_ascii());
    }
    if let Ok(day) = text.parse::<Day>() {
        assert_eq!(day.to_string(), text);
        assert_eq!(Day::new(day.number()), day);
    }
    if let Ok(hash) = text.parse::<Hash>() {
        assert_eq!(hash.to_string(), text);
    }
    if let Some(header) = Header::parse(&text) {
        assert_eq!(header.line(), text);
        assert!(header.key().starts_with(segment::PREFIX));
        let _ = header.last_seq();
    }
    let mut number = [0; 8];
    for (to, from) in number.iter_mut().zip(input) {
        *to = *from;
    }
    let day = Day::new(u64::from_le_bytes(number));
    assert_eq!(day.to_string().parse(), Ok(day));
}
