//! The signed roots, against what the segments say.

use super::{Flaw, Seen, Verdict, Verifier};
use crate::audit::segment::ROOTS;
use crate::audit::{Hash, Head, Root, SignedRoot};

impl Verifier<'_> {
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
