//! What was accepted and is on its way to the backend.

use super::{Columns, Store, StoreError, Value, number};
use contracts::ingest::AcceptedVau;
use domain::EpochMs;
use edge_core::segment::{Packed, Waiting};
use edge_core::shard::Status;
use uuid::Uuid;

/// A segment that is due.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) segment_id: String,
    pub(crate) body: String,
    pub(crate) sent: u32,
}

impl Store {
    /// Puts an item at the end of the outbox; gives its length.
    pub(crate) fn append(&self, item: &AcceptedVau) -> Result<usize, StoreError> {
        let json = json(item)?;
        let length = json.len();
        self.append_json(&item.vau_id.to_string(), item.accepted_at.get(), json)?;
        Ok(length)
    }

    fn append_json(&self, vau_id: &str, accepted_at: u64, json: String) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO outbox (vau_id, accepted_at, item) VALUES (?, ?, ?)",
            vec![vau_id.into(), number(accepted_at), json.into()],
        )
        .map(drop)
    }

    /// Keeps the first VAU that conflicts with an accepted one, for the backend to set aside: at once when
    /// the accepted one has been acknowledged, else after it.
    pub(crate) fn report_conflict(&self, item: &AcceptedVau) -> Result<(), StoreError> {
        let id = item.vau_id.to_string();
        let known = "SELECT 1 FROM conflict WHERE vau_id = ?";
        if self.one(known, vec![id.as_str().into()])?.is_some() {
            return Ok(());
        }
        let undelivered = "SELECT 1 WHERE EXISTS (SELECT 1 FROM outbox WHERE vau_id = ?1) \
             OR EXISTS (SELECT 1 FROM segment WHERE instr(body, ?2) > 0)";
        let place = vec![id.as_str().into(), in_a_segment(&id).into()];
        let held = if self.one(undelivered, place)?.is_some() {
            json(item)?.into()
        } else {
            self.append(item)?;
            Value::Null
        };
        self.run(
            "INSERT INTO conflict VALUES (?, ?, ?)",
            vec![id.into(), number(item.accepted_at.get()), held],
        )
        .map(drop)
    }

    /// Removes an acknowledged segment and lets go the conflicts that waited for it.
    pub(crate) fn acknowledge(&self, segment_id: Uuid) -> Result<(), StoreError> {
        let id = || vec![segment_id.to_string().into()];
        let Some(row) = self.one("SELECT body FROM segment WHERE segment_id = ?", id())? else {
            return Ok(());
        };
        let body = row.text(0, "segment")?;
        for held in self.run(
            "SELECT vau_id, item, seen_at FROM conflict WHERE item IS NOT NULL",
            vec![],
        )? {
            let vau_id = held.text(0, "conflict")?;
            if body.contains(&in_a_segment(vau_id)) {
                let (item, seen_at) = (held.text(1, "conflict")?, held.unsigned(2, "conflict")?);
                self.append_json(vau_id, seen_at, item.to_owned())?;
                self.run(
                    "UPDATE conflict SET item = NULL WHERE vau_id = ?",
                    vec![vau_id.into()],
                )?;
            }
        }
        self.run("DELETE FROM segment WHERE segment_id = ?", id())
            .map(drop)
    }

    pub(crate) fn waiting(&self, most: u32) -> Result<Vec<Waiting>, StoreError> {
        self.run(
            "SELECT seq, item FROM outbox ORDER BY seq LIMIT ?",
            vec![number(most)],
        )?
        .iter()
        .map(|row| {
            Ok(Waiting {
                seq: row.signed(0, "outbox")?,
                json: row.text(1, "outbox")?.to_owned(),
            })
        })
        .collect()
    }

    /// Keeps a segment, due at once, in place of its items.
    pub(crate) fn put_segment(&self, packed: Packed, now: EpochMs) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO segment VALUES (?, ?, ?, 0, ?)",
            vec![
                packed.segment_id.to_string().into(),
                packed.body.into(),
                number(now.get()),
                number(now.get()),
            ],
        )?;
        self.run(
            "DELETE FROM outbox WHERE seq <= ?",
            vec![Value::Integer(packed.last_seq)],
        )
        .map(drop)
    }

    pub(crate) fn due(&self, now: EpochMs, most: u32) -> Result<Vec<Due>, StoreError> {
        self.run(
            "SELECT segment_id, body, sent FROM segment WHERE next_at <= ? ORDER BY made_at LIMIT ?",
            vec![number(now.get()), number(most)],
        )?
        .iter()
        .map(|row| {
            Ok(Due {
                segment_id: row.text(0, "segment")?.to_owned(),
                body: row.text(1, "segment")?.to_owned(),
                sent: row.small(2, "segment")?,
            })
        })
        .collect()
    }

    /// Notes a sending; nothing happens when the segment was acknowledged in the meantime.
    pub(crate) fn put_sent(&self, id: &str, sent: u32, next_at: u64) -> Result<(), StoreError> {
        self.run(
            "UPDATE segment SET sent = ?, next_at = ? WHERE segment_id = ?",
            vec![number(sent), number(next_at), id.into()],
        )
        .map(drop)
    }

    /// When the first of what waits was accepted.
    pub(crate) fn waiting_since(&self) -> Result<Option<u64>, StoreError> {
        let row = self.one("SELECT min(accepted_at) FROM outbox", vec![])?;
        Ok(row.and_then(|row| row.unsigned(0, "outbox").ok()))
    }

    /// When the next segment is due.
    pub(crate) fn next_due(&self) -> Result<Option<u64>, StoreError> {
        let row = self.one("SELECT min(next_at) FROM segment", vec![])?;
        Ok(row.and_then(|row| row.unsigned(0, "segment").ok()))
    }

    pub(crate) fn status(&self, now: EpochMs) -> Result<Status, StoreError> {
        let row = self.one(
            "SELECT (SELECT count(*) FROM outbox), count(*), coalesce(min(made_at), 0) FROM segment",
            vec![],
        )?;
        let row = row.ok_or(StoreError::Row("segment"))?;
        let (segments, oldest) = (row.unsigned(1, "segment")?, row.unsigned(2, "segment")?);
        Ok(Status {
            waiting: row.unsigned(0, "outbox")?,
            segments,
            oldest_segment_ms: if segments == 0 {
                0
            } else {
                now.get().saturating_sub(oldest)
            },
        })
    }
}

fn json(item: &AcceptedVau) -> Result<String, StoreError> {
    serde_json::to_string(item).map_err(|error| StoreError::Sql(error.to_string()))
}

/// How an item's id stands in a segment's text. Inside a payload the quotes would be escaped, so a client
/// cannot make one up.
fn in_a_segment(vau_id: &str) -> String {
    format!(r#""vauId":"{vau_id}""#)
}
