//! What was accepted and is on its way to the backend.

use super::index::Piece;
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
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Vau => "vau",
            Self::Reward => "reward",
            Self::Analytics => "analytics",
        }
    }

    pub(super) fn of(text: &str) -> Result<Self, StoreError> {
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
        let piece = Piece {
            kind: out.kind,
            first_seq: out.first_seq,
            last_seq: out.last_seq,
            made_at: now.get(),
            sent: 1,
            next_at,
            archived: out.archived,
        };
        self.insert_piece(out.segment_id.to_string(), out.body, piece)
    }

    pub(crate) fn due(&self, now: EpochMs, most: usize) -> Result<Vec<Due>, StoreError> {
        self.oldest(most, |piece| piece.next_at <= now.get())?
            .into_iter()
            .map(|(segment_id, piece)| {
                Ok(Due {
                    body: self.body(&segment_id)?,
                    segment_id,
                    kind: piece.kind,
                    sent: piece.sent,
                })
            })
            .collect()
    }

    /// Notes a sending; nothing happens when the segment was acknowledged in the meantime.
    pub(crate) fn put_sent(&self, id: &str, sent: u32, next_at: u64) -> Result<(), StoreError> {
        self.run(
            "UPDATE segments SET sent = ?, next_at = ? WHERE segment_id = ?",
            vec![number(sent), number(next_at), id.into()],
        )?;
        self.with_pieces(|pieces| {
            if let Some(piece) = pieces.get_mut(id) {
                (piece.sent, piece.next_at) = (sent, next_at);
            }
        })
    }

    /// Segments that the archive did not take: id, first row, body.
    pub(crate) fn unarchived(&self, most: usize) -> Result<Vec<(String, u64, String)>, StoreError> {
        self.oldest(most, |piece| !piece.archived && piece.kind == Kind::Vau)?
            .into_iter()
            .map(|(id, piece)| {
                let body = self.body(&id)?;
                Ok((id, piece.first_seq, body))
            })
            .collect()
    }

    pub(crate) fn put_archived(&self, id: &str) -> Result<(), StoreError> {
        self.run(
            "UPDATE segments SET archived = 1 WHERE segment_id = ?",
            vec![id.into()],
        )?;
        self.with_pieces(|pieces| {
            if let Some(piece) = pieces.get_mut(id) {
                piece.archived = true;
            }
        })
    }

    /// Removes what was acknowledged. Gives the conflicts that waited for it; `None` when it was acknowledged before.
    pub(crate) fn acknowledge(
        &self,
        segment_id: Uuid,
    ) -> Result<Option<Vec<AcceptedGroup>>, StoreError> {
        let id = segment_id.to_string();
        let Some(piece) = self.with_pieces(|pieces| pieces.remove(&id))? else {
            return Ok(None);
        };
        self.run("DELETE FROM segments WHERE segment_id = ?", vec![id.into()])?;
        let mut free = Vec::new();
        for held in self.run(
            "SELECT vau_id, after_seq, body FROM conflicts WHERE body IS NOT NULL AND after_seq BETWEEN ? AND ?",
            vec![number(piece.first_seq), number(piece.last_seq)],
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
        self.with_pieces(|pieces| {
            pieces.values().any(|piece| {
                piece.kind == Kind::Vau && (piece.first_seq..=piece.last_seq).contains(&seq)
            })
        })
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
        self.with_pieces(|pieces| pieces.values().map(|piece| piece.next_at).min())
    }

    pub(crate) fn status(&self, waiting: u64, now: EpochMs) -> Result<Status, StoreError> {
        self.with_pieces(|pieces| {
            let segments = pieces.values().filter(|piece| piece.kind == Kind::Vau);
            let oldest = segments.clone().map(|piece| piece.made_at).min();
            Status {
                waiting,
                segments: segments.count() as u64,
                oldest_segment_ms: oldest.map_or(0, |oldest| now.get().saturating_sub(oldest)),
            }
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
