//! An auditor's walk: every record, segment and root, offline.

use super::segment::{self, Header, PREFIX, ROOTS};
use super::{Chained, Day, Hash, Head, Root, SignedRoot};
use std::collections::BTreeMap;
use std::fmt;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// Records or a segment are not there.
    Missing,
    /// Records or segments are not where they belong.
    Reordered,
    /// A byte is not the one that was written.
    Altered,
    /// The end is not there.
    Truncated,
    /// A root that the key did not sign, or that does not follow the one before.
    ForgedRoot,
    /// A day that has ended has no root.
    MissingRoot,
    /// An object that does not belong to the log.
    Foreign,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Reordered => "reordered",
            Self::Altered => "altered",
            Self::Truncated => "truncated",
            Self::ForgedRoot => "forged root",
            Self::MissingRoot => "missing root",
            Self::Foreign => "foreign",
        })
    }
}

/// A flaw and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub flaw: Flaw,
    /// The object.
    pub key: String,
    /// More, for a person.
    pub detail: String,
}

/// What the walk has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Records that were read.
    pub records: u64,
    /// Segments that were read.
    pub segments: u64,
    /// Roots that hold.
    pub roots: u64,
    /// The last day with a root that holds.
    pub signed_through: Option<Day>,
    /// Where the chain ends.
    pub head: Head,
    /// Everything that is wrong; a log without any is whole.
    pub findings: Vec<Finding>,
}

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

    /// Compares the roots with the segments.
    pub fn finish(mut self) -> Verdict {
        let roots = std::mem::take(&mut self.roots);
        let days = std::mem::take(&mut self.days);
        let mut before: Option<Hash> = self.since.is_none().then_some(Hash::ZERO);
        let mut signed_through = None;
        let mut good = 0_u64;
        for (day, signed) in &roots {
            let found = self.findings.len();
            self.judge(signed, before, days.get(day));
            before = Some(signed.root.hash());
            if self.findings.len() == found {
                good = good.saturating_add(1);
                signed_through = Some(*day);
            }
        }
        let last_root = roots.keys().next_back();
        let last_day = days.keys().next_back();
        for day in days.keys().filter(|day| !roots.contains_key(day)) {
            // The newest day may not have ended; without a key nobody says that roots are made at all.
            let ended = Some(day) != last_day && self.check.is_some();
            if ended || last_root.is_some_and(|last| day < last) {
                let key = format!("{ROOTS}{day}");
                self.find(Flaw::MissingRoot, &key, "the day has records and no root");
            }
        }
        Verdict {
            records: self.records,
            segments: self.segments,
            roots: good,
            signed_through,
            head: self.head.unwrap_or(Head::START),
            findings: self.findings,
        }
    }

    fn judge(&mut self, signed: &SignedRoot, before: Option<Hash>, seen: Option<&Seen>) {
        let root = &signed.root;
        let key = root.key();
        if let Some(check) = self.check {
            let holds = signed
                .signature()
                .is_some_and(|signature| check(&root.canonical(), &signature));
            if !holds {
                return self.find(Flaw::ForgedRoot, &key, "the key has not signed it");
            }
        }
        if before.is_some_and(|hash| hash != root.prev_root_hash) {
            self.find(Flaw::ForgedRoot, &key, "it does not follow the root before");
        }
        self.compare(&key, root, seen);
    }

    fn compare(&mut self, key: &str, root: &Root, seen: Option<&Seen>) {
        let Some(seen) = seen else {
            return self.find(
                Flaw::Missing,
                key,
                format!(
                    "records {} to {} are not there",
                    root.first_seq, root.last_seq
                ),
            );
        };
        if seen.last_seq < root.last_seq {
            self.find(
                Flaw::Truncated,
                key,
                format!(
                    "the day ends at record {}, signed is {}",
                    seen.last_seq, root.last_seq
                ),
            );
        } else if seen.first_seq > root.first_seq {
            self.find(
                Flaw::Missing,
                key,
                format!(
                    "the day starts at record {}, signed is {}",
                    seen.first_seq, root.first_seq
                ),
            );
        } else if (seen.last_seq, seen.segments, seen.hash)
            != (root.last_seq, root.segments, root.segment_hash)
            || seen.first_seq != root.first_seq
        {
            self.find(
                Flaw::Altered,
                key,
                "the segments are not those that were signed",
            );
        }
    }
}
