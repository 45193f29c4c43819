//! What was accepted and is on its way to the backend.

use super::{Columns, Store, StoreError, Value, number, to_json};
use contracts::ingest::AcceptedGroup;
use domain::{EpochMs, VauId};
use edge_core::hours::Summary;
use edge_core::memory::Entry;
use edge_core::segment::Waiting;
use edge_core::shard::Status;
use uuid::Uuid;

/// What a message carries; each kind has a queue of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A segment of VAUs.
    Vau,
    /// What an hour has promised.
    Reward,
    /// An hour's figures.
    Analytics,
}

impl Kind {
    const fn text(self) -> &'static str {
        match self {
            Self::Vau => "vau",
            Self::Reward => "reward",
            Self::Analytics => "analytics",
        }
    }

    fn of(text: &str) -> Result<Self, StoreError> {
        [Self::Vau, Self::Reward, Self::Analytics]
            .into_iter()
            .find(|kind| kind.text() == text)
            .ok_or(StoreError::Row("segments"))
    }
}

/// Something that is due.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) segment_id: String,
    pub(crate) kind: Kind,
    pub(crate) body: String,
    pub(crate) sent: u32,
}

/// Something new to send.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) segment_id: Uuid,
    pub(crate) kind: Kind,
    pub(crate) body: String,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    pub(crate) archived: bool,
}

/// What was read to be packed.
#[derive(Debug)]
pub(crate) struct Unpacked {
    pub(crate) waiting: Vec<Waiting>,
    /// The last row that was read.
    pub(crate) last_seq: u64,
    /// VAUs in the rows that were read.
    pub(crate) vaus: u64,
}

impl Store {
    /// The next rows that are in no segment.
    pub(crate) fn unpacked(&self, after: u64, most: u32) -> Result<Unpacked, StoreError> {
        let rows = self.run(
            "SELECT seq, entry FROM journal WHERE seq > ? ORDER BY seq LIMIT ?",
            vec![number(after), number(most)],
        )?;
        let mut unpacked = Unpacked {
            waiting: Vec::new(),
            last_seq: after,
            vaus: 0,
        };
        for row in rows {
            let seq = row.unsigned(0, "journal")?;
            let entry: Entry = row.json(1, "journal")?;
            unpacked.last_seq = seq;
            unpacked.vaus = unpacked.vaus.saturating_add(entry.len());
            let groups = entry.groups.into_iter().chain(entry.conflicts);
            let groups = groups.map(|group| Waiting { seq, group });
            unpacked.waiting.extend(groups);
        }
        Ok(unpacked)
    }

    /// When the first row after `seq` was written.
    pub(crate) fn first_after(&self, seq: u64) -> Result<Option<u64>, StoreError> {
        let row = self.one(
            "SELECT at FROM journal WHERE seq > ? ORDER BY seq LIMIT 1",
            vec![number(seq)],
        )?;
        row.map(|row| row.unsigned(0, "journal")).transpose()
    }

    /// Keeps something to send until it is acknowledged. It is noted as sent already: when the object dies before it
    /// is, it goes out after the wait of one that was lost.
    pub(crate) fn put(&self, out: Outgoing, now: EpochMs, next_at: u64) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)",
            vec![
                out.segment_id.to_string().into(),
                out.kind.text().into(),
                out.body.into(),
                number(out.first_seq),
                number(out.last_seq),
                number(now.get()),
                number(next_at),
                number(u64::from(out.archived)),
            ],
        )
        .map(drop)
    }

    pub(crate) fn due(&self, now: EpochMs, most: u32) -> Result<Vec<Due>, StoreError> {
        self.run(
            "SELECT segment_id, kind, body, sent FROM segments WHERE next_at <= ? ORDER BY made_at LIMIT ?",
            vec![number(now.get()), number(most)],
        )?
        .iter()
        .map(|row| {
            Ok(Due {
                segment_id: row.text(0, "segments")?.to_owned(),
                kind: Kind::of(row.text(1, "segments")?)?,
                body: row.text(2, "segments")?.to_owned(),
                sent: row.small(3, "segments")?,
            })
        })
        .collect()
    }

    /// Notes a sending; nothing happens when the segment was acknowledged in the meantime.
    pub(crate) fn put_sent(&self, id: &str, sent: u32, next_at: u64) -> Result<(), StoreError> {
        self.run(
            "UPDATE segments SET sent = ?, next_at = ? WHERE segment_id = ?",
            vec![number(sent), number(next_at), id.into()],
        )
        .map(drop)
    }

    /// Segments that the archive did not take: id, first row, body.
    pub(crate) fn unarchived(&self, most: u32) -> Result<Vec<(String, u64, String)>, StoreError> {
        self.run(
            "SELECT segment_id, first_seq, body FROM segments WHERE archived = 0 AND kind = 'vau' \
             ORDER BY made_at LIMIT ?",
            vec![number(most)],
        )?
        .iter()
        .map(|row| {
            Ok((
                row.text(0, "segments")?.to_owned(),
                row.unsigned(1, "segments")?,
                row.text(2, "segments")?.to_owned(),
            ))
        })
        .collect()
    }

    pub(crate) fn put_archived(&self, id: &str) -> Result<(), StoreError> {
        self.run(
            "UPDATE segments SET archived = 1 WHERE segment_id = ?",
            vec![id.into()],
        )
        .map(drop)
    }

    /// Removes what was acknowledged. Gives the conflicts that waited for it; `None` when it was acknowledged before.
    pub(crate) fn acknowledge(
        &self,
        segment_id: Uuid,
    ) -> Result<Option<Vec<AcceptedGroup>>, StoreError> {
        let id = || vec![segment_id.to_string().into()];
        let query = "SELECT first_seq, last_seq FROM segments WHERE segment_id = ?";
        let Some(row) = self.one(query, id())? else {
            return Ok(None);
        };
        let range = (row.unsigned(0, "segments")?, row.unsigned(1, "segments")?);
        self.run("DELETE FROM segments WHERE segment_id = ?", id())?;
        let mut free = Vec::new();
        for held in self.run(
            "SELECT vau_id, after_seq, body FROM conflicts WHERE body IS NOT NULL AND after_seq BETWEEN ? AND ?",
            vec![number(range.0), number(range.1)],
        )? {
            // A long row travels in several segments.
            if self.is_undelivered(held.unsigned(1, "conflicts")?)? {
                continue;
            }
            free.push(held.json(2, "conflicts")?);
            self.run(
                "UPDATE conflicts SET body = NULL WHERE vau_id = ?",
                vec![held.text(0, "conflicts")?.into()],
            )?;
        }
        Ok(Some(free))
    }

    /// Whether a row is in a segment that is not acknowledged.
    pub(crate) fn is_undelivered(&self, seq: u64) -> Result<bool, StoreError> {
        let query = "SELECT 1 FROM segments WHERE kind = 'vau' AND ?1 BETWEEN first_seq AND last_seq LIMIT 1";
        Ok(self.one(query, vec![number(seq)])?.is_some())
    }

    /// Keeps the first VAU that contradicts an accepted one of the row `after`; gives it back when it may go to the
    /// backend at once, and nothing when there was another before.
    pub(crate) fn report_conflict(
        &self,
        vau_id: &VauId,
        group: AcceptedGroup,
        after: u64,
        flushed: u64,
    ) -> Result<Option<AcceptedGroup>, StoreError> {
        let id = vau_id.to_string();
        let known = "SELECT 1 FROM conflicts WHERE vau_id = ?";
        if self.one(known, vec![id.as_str().into()])?.is_some() {
            return Ok(None);
        }
        let held = after > flushed || self.is_undelivered(after)?;
        let body = if held { to_json(&group)? } else { Value::Null };
        self.run(
            "INSERT INTO conflicts VALUES (?, ?, ?, ?)",
            vec![
                id.into(),
                number(group.accepted_at.get()),
                number(after),
                body,
            ],
        )?;
        Ok((!held).then_some(group))
    }

    /// When the next segment is due.
    pub(crate) fn next_due(&self) -> Result<Option<u64>, StoreError> {
        let row = self.one("SELECT min(next_at) FROM segments", vec![])?;
        Ok(row.and_then(|row| row.unsigned(0, "segments").ok()))
    }

    pub(crate) fn status(&self, waiting: u64, now: EpochMs) -> Result<Status, StoreError> {
        let row = self.one(
            "SELECT count(*), coalesce(min(made_at), 0) FROM segments WHERE kind = 'vau'",
            vec![],
        )?;
        let row = row.ok_or(StoreError::Row("segments"))?;
        let (segments, oldest) = (row.unsigned(0, "segments")?, row.unsigned(1, "segments")?);
        Ok(Status {
            waiting,
            segments,
            oldest_segment_ms: if segments == 0 {
                0
            } else {
                now.get().saturating_sub(oldest)
            },
        })
    }

    pub(crate) fn put_hour(&self, hour: u64, summary: &Summary) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO hours VALUES (?, ?)",
            vec![number(hour), to_json(summary)?],
        )
        .map(drop)
    }

    /// The hours that are over, newest first.
    pub(crate) fn hours(&self, most: u32) -> Result<Vec<Summary>, StoreError> {
        self.run(
            "SELECT body FROM hours ORDER BY hour DESC LIMIT ?",
            vec![number(most)],
        )?
        .iter()
        .map(|row| row.json(0, "hours"))
        .collect()
    }
}
