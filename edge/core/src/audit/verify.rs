//! An auditor's walk: every record, segment and root, offline.

mod finding;
mod roots;

pub use finding::{Finding, Flaw, Verdict};

use super::segment::{self, Header, PREFIX, ROOTS};
use super::{Chained, Day, Hash, Head, SignedRoot};
use std::collections::BTreeMap;

/// What the segments say of a day.
#[derive(Debug, Clone, Copy)]
struct Seen {
    first_seq: u64,
    last_seq: u64,
    segments: u64,
    hash: Hash,
}

/// Whether a signature over a message holds.
pub type Check<'a> = &'a dyn Fn(&[u8], &[u8; 64]) -> bool;

/// Walks over objects in the order of their keys: [`Self::object`] for each, then [`Self::finish`].
pub struct Verifier<'a> {
    check: Option<Check<'a>>,
    since: Option<Day>,
    head: Option<Head>,
    segment_hash: Option<Hash>,
    days: BTreeMap<Day, Seen>,
    roots: BTreeMap<Day, SignedRoot>,
    records: u64,
    segments: u64,
    findings: Vec<Finding>,
}

impl<'a> Verifier<'a> {
    /// Without `check` signatures are not looked at. With `since`, what is before that day is not looked at: the
    /// bucket deletes what is old.
    pub fn new(check: Option<Check<'a>>, since: Option<Day>) -> Self {
        let whole = since.is_none();
        Self {
            check,
            since,
            head: whole.then_some(Head::START),
            segment_hash: whole.then_some(Hash::ZERO),
            days: BTreeMap::new(),
            roots: BTreeMap::new(),
            records: 0,
            segments: 0,
            findings: Vec::new(),
        }
    }

    /// Whether the object has to be read at all.
    pub fn wants(&self, key: &str) -> bool {
        let day = key
            .strip_prefix(ROOTS)
            .or_else(|| key.strip_prefix(PREFIX)?.split('/').next());
        match (self.since, day.and_then(|day| day.parse::<Day>().ok())) {
            (Some(since), Some(day)) => day >= since,
            _ => true,
        }
    }

    /// The next object.
    pub fn object(&mut self, key: &str, body: &[u8]) {
        if key.starts_with(ROOTS) {
            self.root(key, body);
        } else if key.starts_with(PREFIX) {
            self.segment(key, body);
        } else {
            self.find(Flaw::Foreign, key, "the key is none of the log's");
        }
    }

    fn find(&mut self, flaw: Flaw, key: &str, detail: impl Into<String>) {
        self.findings.push(Finding {
            flaw,
            key: key.to_owned(),
            detail: detail.into(),
        });
    }

    fn root(&mut self, key: &str, body: &[u8]) {
        match serde_json::from_slice::<SignedRoot>(body) {
            Ok(signed) if signed.root.key() == key => {
                self.roots.insert(signed.root.day, signed);
            }
            Ok(signed) => self.find(
                Flaw::Reordered,
                key,
                format!("it is the root of {}", signed.root.day),
            ),
            Err(_) => self.find(Flaw::Altered, key, "it is no root"),
        }
    }

    fn segment(&mut self, key: &str, body: &[u8]) {
        self.segments = self.segments.saturating_add(1);
        let Ok(text) = str::from_utf8(body) else {
            return self.find(Flaw::Altered, key, "it is not text");
        };
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let Some(header) = Header::parse(first) else {
            return self.find(Flaw::Altered, key, "the first line is no header");
        };
        if header.key() != key {
            self.find(
                Flaw::Reordered,
                key,
                format!("it is the segment {}", header.key()),
            );
        }
        self.link(key, &header);
        let before = self.records;
        self.lines(key, &header, rest);
        let read = self.records.saturating_sub(before);
        if read < header.count || !text.ends_with('\n') {
            self.find(
                Flaw::Truncated,
                key,
                format!("{read} of {} records are whole", header.count),
            );
        }
        if read > header.count {
            self.find(
                Flaw::Altered,
                key,
                format!("{read} records, the header says {}", header.count),
            );
        }
        self.segment_hash = Some(segment::hash(body));
        self.note(&header, segment::hash(body));
    }

    /// Whether the segment follows the one before.
    fn link(&mut self, key: &str, header: &Header) {
        let expected = self.head.map(|head| head.seq.saturating_add(1));
        match expected {
            Some(expected) if header.first_seq > expected => self.find(
                Flaw::Missing,
                key,
                format!(
                    "records {expected} to {} are not there",
                    header.first_seq - 1
                ),
            ),
            Some(expected) if header.first_seq < expected => self.find(
                Flaw::Reordered,
                key,
                format!(
                    "it starts at record {}, {expected} was expected",
                    header.first_seq
                ),
            ),
            _ => {
                if self
                    .segment_hash
                    .is_some_and(|hash| hash != header.prev_segment_hash)
                {
                    self.find(
                        Flaw::Altered,
                        key,
                        "the segment before is not the one it was written after",
                    );
                }
            }
        }
        if expected != Some(header.first_seq) {
            // What follows is judged by itself; one gap is one finding.
            self.head = None;
        }
    }

    fn lines(&mut self, key: &str, header: &Header, text: &str) {
        let mut expected = header.first_seq;
        for line in text.split_inclusive('\n') {
            // A line without its end was cut off; the count tells.
            let Some(line) = line.strip_suffix('\n') else {
                break;
            };
            let Ok(record) = serde_json::from_str::<Chained>(line) else {
                self.find(
                    Flaw::Altered,
                    key,
                    format!("record {expected} cannot be read"),
                );
                self.head = None;
                self.records = self.records.saturating_add(1);
                expected = expected.saturating_add(1);
                continue;
            };
            self.record(key, expected, &record, line);
            expected = record.seq.saturating_add(1);
        }
    }

    fn record(&mut self, key: &str, expected: u64, record: &Chained, line: &str) {
        self.records = self.records.saturating_add(1);
        let seq = record.seq;
        if seq > expected {
            self.find(
                Flaw::Missing,
                key,
                format!("record {expected} is not there, {seq} is in its place"),
            );
        } else if seq < expected {
            self.find(
                Flaw::Reordered,
                key,
                format!("record {seq} comes where {expected} belongs"),
            );
        }
        let intact = record.hash == record.computed()
            && serde_json::to_string(record).is_ok_and(|text| text == line);
        if !intact {
            self.find(
                Flaw::Altered,
                key,
                format!("record {seq} is not what was hashed"),
            );
        } else if seq == expected && self.head.is_some_and(|head| head.hash != record.prev_hash) {
            self.find(
                Flaw::Altered,
                key,
                format!("record {seq} was written after another one"),
            );
        }
        self.head = Some(Head {
            seq,
            hash: record.hash,
        });
    }

    fn note(&mut self, header: &Header, hash: Hash) {
        let seen = Seen {
            first_seq: header.first_seq,
            last_seq: header.last_seq(),
            segments: 1,
            hash,
        };
        self.days
            .entry(header.day)
            .and_modify(|day| {
                day.last_seq = seen.last_seq;
                day.segments = day.segments.saturating_add(1);
                day.hash = seen.hash;
            })
            .or_insert(seen);
    }
}
