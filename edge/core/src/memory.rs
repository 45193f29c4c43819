//! What the object knows without reading its storage, and how that is rebuilt.
//!
//! Each request that has an effect is one row of the journal. The memory is what follows from the rows: from the
//! latest checkpoint and the rows after it. Writing one row a request, whatever the number of its VAUs, is what
//! half a million VAUs a day cost no money for.

use crate::audit::{MOST_RECORDS, Record};
use crate::hours::Hours;
use crate::limit::{Addresses, Kept, Rate};
use crate::meter::Usage;
use crate::recent::{Known, REMEMBER_MS, Recent};
use crate::shard::Class;
use contracts::ingest::AcceptedGroup;
use domain::{Amount, EpochMs, VauId};
use serde::{Deserialize, Serialize};

/// A row of the journal: what one request has led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The limit the request was counted under.
    pub class: Class,
    /// By which key.
    pub address: String,
    /// What was promised on this UTC day by then.
    pub promised: Amount,
    /// What was accepted.
    pub groups: Vec<AcceptedGroup>,
    /// What contradicts something accepted; for the backend to set aside.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub conflicts: Vec<AcceptedGroup>,
}

impl Entry {
    /// VAUs that go to the backend.
    pub fn len(&self) -> u64 {
        let items = self.groups.iter().chain(&self.conflicts);
        items.map(|group| group.items.len() as u64).sum()
    }

    /// Whether nothing goes to the backend.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What has been counted since the object was first used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// VAUs accepted, by trust: below 50, below 80, from 80.
    pub accepted: [u64; 3],
    /// VAUs that had been accepted before.
    pub duplicates: u64,
    /// VAUs that contradict an accepted one.
    pub conflicts: u64,
    /// VAUs refused for another reason.
    pub refused: u64,
    /// Requests refused because their address had used up its minute.
    pub rate_limited: u64,
    /// Requests refused because the day's allowance was used up.
    pub exhausted: u64,
    /// Segments the backend has acknowledged.
    pub delivered: u64,
    /// Segments that were sent again.
    pub resent: u64,
    /// Segments that the archive did not take at the first try.
    pub archive_failures: u64,
    /// Segments that the audit log could not be told of in time.
    #[serde(default)]
    pub audit_lost: u64,
}

/// The memory at one moment, as it is stored with every flush.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Checkpoint {
    /// The latest row that is in a segment.
    pub flushed: u64,
    /// The latest row that the figures here include.
    pub applied: u64,
    /// The UTC day of [`Self::promised`].
    pub day: u64,
    /// What was promised on it.
    pub promised: Amount,
    /// Counters of the minute.
    pub single: Vec<Kept>,
    /// Counters of the minute.
    pub batch: Vec<Kept>,
    /// Open hours.
    pub hours: Hours,
    /// The day's allowances.
    pub usage: Usage,
    /// Counts.
    pub totals: Totals,
    /// Segments that the audit log has not been told of.
    pub digests: Vec<Record>,
}

/// Segments told to the audit log in one call.
const TOLD_TOGETHER: usize = 10;
/// The longest a segment waits for others before the audit log is told.
const TOLD_AFTER_MS: u64 = 600_000;
/// After the audit log could not be told, the wait before the next try.
const TOLD_AGAIN_MS: u64 = 60_000;
/// Segments that wait at most; the oldest are left out, and counted.
const MOST_DIGESTS: usize = 512;

/// What the object knows.
#[derive(Debug)]
pub struct Memory {
    /// VAUs accepted lately.
    pub recent: Recent,
    /// Open hours.
    pub hours: Hours,
    /// The day's allowances.
    pub usage: Usage,
    /// Counts.
    pub totals: Totals,
    single: Addresses,
    batch: Addresses,
    day: u64,
    promised: Amount,
    /// The latest row.
    last: u64,
    /// The latest row that is in a segment.
    flushed: u64,
    waiting: u64,
    waiting_since: Option<u64>,
    digests: Vec<Record>,
    digests_due: Option<u64>,
}

impl Memory {
    /// The memory at `checkpoint`.
    pub fn at(checkpoint: Checkpoint) -> Self {
        let (mut single, mut batch) = (Addresses::exact(), Addresses::exact());
        single.restore(checkpoint.single);
        batch.restore(checkpoint.batch);
        Self {
            recent: Recent::default(),
            hours: checkpoint.hours,
            usage: checkpoint.usage,
            totals: checkpoint.totals,
            single,
            batch,
            day: checkpoint.day,
            promised: checkpoint.promised,
            last: checkpoint.applied.max(checkpoint.flushed),
            flushed: checkpoint.flushed,
            waiting: 0,
            waiting_since: None,
            digests_due: checkpoint.digests.first().map(due),
            digests: checkpoint.digests,
        }
    }

    /// Notes a segment for the audit log.
    pub fn note(&mut self, record: Record) {
        self.digests_due.get_or_insert(due(&record));
        self.digests.push(record);
        if self.digests.len() >= TOLD_TOGETHER {
            self.digests_due = Some(0);
        }
        if self.digests.len() > MOST_DIGESTS {
            self.digests.remove(0);
            self.totals.audit_lost = self.totals.audit_lost.saturating_add(1);
        }
    }

    /// What the audit log is to be told at `now`.
    pub fn to_tell(&self, now: EpochMs) -> Option<Vec<Record>> {
        let is_due = self.digests_due.is_some_and(|due| due <= now.get());
        is_due.then(|| self.digests.iter().take(MOST_RECORDS).cloned().collect())
    }

    /// Notes that the audit log was told the first `count`, or could not be told.
    pub fn told(&mut self, count: Option<usize>, now: EpochMs) {
        match count {
            Some(count) => {
                self.digests.drain(..count.min(self.digests.len()));
                self.digests_due = self.digests.first().map(due);
            }
            None => self.digests_due = Some(now.get().saturating_add(TOLD_AGAIN_MS)),
        }
    }

    /// When the audit log is to be told next.
    pub const fn tell_at(&self) -> Option<u64> {
        self.digests_due
    }

    /// Takes in a row that the checkpoint includes already: only its VAUs are remembered.
    pub fn recall(&mut self, seq: u64, vaus: Vec<(VauId, Known)>) {
        self.last = self.last.max(seq);
        for (id, known) in vaus {
            self.recent.insert(id, known, seq);
        }
    }

    /// Takes in a row the checkpoint does not include, when the object wakes up.
    pub fn replay(&mut self, seq: u64, at: EpochMs, entry: &Entry, vaus: Vec<(VauId, Known)>) {
        self.limits(entry.class).count(&entry.address, at);
        self.apply(seq, at, entry, vaus);
    }

    /// Takes in a row that has just been written.
    pub fn apply(&mut self, seq: u64, at: EpochMs, entry: &Entry, vaus: Vec<(VauId, Known)>) {
        self.day = at.utc_day();
        self.promised = entry.promised;
        for (_, known) in &vaus {
            let class = usize::from(known.trust_score >= 50) + usize::from(known.trust_score >= 80);
            if let Some(count) = self.totals.accepted.get_mut(class) {
                *count = count.saturating_add(1);
            }
        }
        for group in &entry.groups {
            self.hours.add(group);
        }
        self.recall(seq, vaus);
        self.wait(seq, at, entry.len());
    }

    /// Notes that a row holds something that is in no segment yet.
    pub fn wait(&mut self, seq: u64, at: EpochMs, vaus: u64) {
        self.last = self.last.max(seq);
        if seq > self.flushed && vaus > 0 {
            self.waiting = self.waiting.saturating_add(vaus);
            self.waiting_since.get_or_insert(at.get());
        }
    }

    /// Notes that every row up to `seq` is in a segment; `vaus` of them waited.
    pub fn flushed_to(&mut self, seq: u64, vaus: u64, rest_since: Option<u64>) {
        self.flushed = self.flushed.max(seq);
        self.waiting = self.waiting.saturating_sub(vaus);
        self.waiting_since = rest_since;
    }

    /// The place of the next row.
    pub const fn next(&self) -> u64 {
        self.last.saturating_add(1)
    }

    /// The latest row that is in a segment.
    pub const fn flushed(&self) -> u64 {
        self.flushed
    }

    /// VAUs that are in no segment.
    pub const fn waiting(&self) -> u64 {
        self.waiting
    }

    /// When the first of those was accepted.
    pub const fn waiting_since(&self) -> Option<u64> {
        self.waiting_since
    }

    /// What was promised on the day of `now`.
    pub fn promised(&self, now: EpochMs) -> Amount {
        if self.day == now.utc_day() {
            self.promised
        } else {
            Amount::ZERO
        }
    }

    /// Counts a request: the caller's standing, `Err` when it is beyond the limit.
    pub fn take(
        &mut self,
        class: Class,
        key: &str,
        limit: u32,
        now: EpochMs,
    ) -> Result<Rate, Rate> {
        self.limits(class).take(key, limit, now)
    }

    /// Where a caller stands.
    pub fn look(&self, class: Class, key: &str, limit: u32, now: EpochMs) -> Rate {
        match class {
            Class::Single => &self.single,
            Class::Batch => &self.batch,
        }
        .look(key, limit, now)
    }

    /// What is stored with a flush that has put the rows up to `flushed` into segments.
    pub fn checkpoint(&self, flushed: u64, now: EpochMs) -> Checkpoint {
        Checkpoint {
            flushed,
            applied: self.last,
            day: self.day,
            promised: self.promised,
            single: self.single.kept(now),
            batch: self.batch.kept(now),
            hours: self.hours.clone(),
            usage: self.usage,
            totals: self.totals,
            digests: self.digests.clone(),
        }
    }

    /// Rows accepted before this are of no use once they are in a segment.
    pub const fn forgettable(now: EpochMs) -> u64 {
        now.get().saturating_sub(REMEMBER_MS)
    }

    const fn limits(&mut self, class: Class) -> &mut Addresses {
        match class {
            Class::Single => &mut self.single,
            Class::Batch => &mut self.batch,
        }
    }
}

fn due(record: &Record) -> u64 {
    record.at.get().saturating_add(TOLD_AFTER_MS)
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
