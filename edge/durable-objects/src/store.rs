//! Every query of the object.

use contracts::ingest::AcceptedVau;
use contracts::vau::VauAccepted;
use domain::{Amount, DeviceId, EpochMs, VauId};
use edge_core::admission::{DeviceRecord, Earlier, receipt};
use edge_core::limit::Counter;
use edge_core::segment::{Packed, Waiting};
use edge_core::shard::Status;
use uuid::Uuid;
use worker::{SqlStorage, SqlStorageValue as Value};

/// The object's storage failed, or holds what this code did not write.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// A statement or transaction failed.
    #[error("storage: {0}")]
    Sql(String),
    /// A row cannot be read back.
    #[error("storage: unreadable row in {0}")]
    Row(&'static str),
}

/// A segment that is due.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) segment_id: String,
    pub(crate) body: String,
    pub(crate) sent: u32,
}

/// The tables.
#[derive(Debug, Clone)]
pub(crate) struct Store(SqlStorage);

type Row = Vec<Value>;

impl Store {
    pub(crate) fn new(sql: SqlStorage) -> Self {
        Self(sql)
    }

    pub(crate) fn prepare(&self) -> Result<(), StoreError> {
        self.run(crate::schema::SCHEMA, vec![]).map(drop)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.database_size()
    }

    pub(crate) fn counter(&self, address: &str) -> Result<Option<Counter>, StoreError> {
        let row = self.one(
            "SELECT window, used FROM rate WHERE address = ?",
            vec![address.into()],
        )?;
        row.map(|row| {
            Ok(Counter {
                window: row.unsigned(0, "rate")?,
                used: row.small(1, "rate")?,
            })
        })
        .transpose()
    }

    pub(crate) fn put_counter(&self, address: &str, counter: Counter) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO rate VALUES (?, ?, ?) ON CONFLICT (address) DO UPDATE SET window = excluded.window, used = excluded.used",
            vec![address.into(), number(counter.window), number(counter.used)],
        )
        .map(drop)
    }

    pub(crate) fn device(&self, id: &DeviceId) -> Result<Option<DeviceRecord>, StoreError> {
        let row = self.one(
            "SELECT user_id, confirmed_at, last_seen, vau_count, day, day_count FROM device WHERE device_id = ?",
            vec![id.to_string().into()],
        )?;
        row.map(|row| {
            Ok(DeviceRecord {
                user_id: row
                    .text(0, "device")?
                    .try_into()
                    .map_err(|_| StoreError::Row("device"))?,
                confirmed_at: row.moment(1, "device")?,
                last_seen: match row.get(2) {
                    Some(Value::Null) => None,
                    _ => Some(row.moment(2, "device")?),
                },
                vau_count: row.small(3, "device")?,
                day: row.unsigned(4, "device")?,
                day_count: row.small(5, "device")?,
            })
        })
        .transpose()
    }

    pub(crate) fn put_device(&self, id: &DeviceId, d: &DeviceRecord) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO device VALUES (?, ?, ?, ?, ?, ?, ?)",
            vec![
                id.to_string().into(),
                d.user_id.to_string().into(),
                number(d.confirmed_at.get()),
                d.last_seen.map_or(Value::Null, |seen| number(seen.get())),
                number(d.vau_count),
                number(d.day),
                number(d.day_count),
            ],
        )
        .map(drop)
    }

    pub(crate) fn earlier(&self, id: VauId) -> Result<Option<Earlier>, StoreError> {
        let row = self.one(
            "SELECT fingerprint, accepted_at, trust_score, earned FROM accepted WHERE vau_id = ?",
            vec![id.to_string().into()],
        )?;
        row.map(|row| {
            let unreadable = || StoreError::Row("accepted");
            Ok(Earlier {
                fingerprint: row
                    .text(0, "accepted")?
                    .try_into()
                    .map_err(|_| unreadable())?,
                receipt: VauAccepted {
                    vau_id: id,
                    timestamp: row.moment(1, "accepted")?,
                    trust_score: u8::try_from(row.small(2, "accepted")?)
                        .map_err(|_| unreadable())?,
                    earned: row
                        .text(3, "accepted")?
                        .try_into()
                        .map_err(|_| unreadable())?,
                },
            })
        })
        .transpose()
    }

    pub(crate) fn remember(&self, item: &AcceptedVau) -> Result<(), StoreError> {
        let receipt = receipt(item);
        self.run(
            "INSERT INTO accepted VALUES (?, ?, ?, ?, ?)",
            vec![
                receipt.vau_id.to_string().into(),
                item.fingerprint.to_string().into(),
                number(receipt.timestamp.get()),
                number(receipt.trust_score),
                receipt.earned.to_string().into(),
            ],
        )
        .map(drop)
    }

    pub(crate) fn promised(&self, day: u64) -> Result<Amount, StoreError> {
        let row = self.one(
            "SELECT promised FROM emission WHERE day = ?",
            vec![number(day)],
        )?;
        row.map_or(Ok(Amount::ZERO), |row| {
            row.text(0, "emission")?
                .try_into()
                .map_err(|_| StoreError::Row("emission"))
        })
    }

    pub(crate) fn put_promised(&self, day: u64, promised: Amount) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO emission VALUES (?, ?)",
            vec![number(day), promised.to_string().into()],
        )
        .map(drop)
    }

    /// Puts an item at the end of the outbox; gives its length.
    pub(crate) fn append(&self, item: &AcceptedVau) -> Result<usize, StoreError> {
        let json = json(item)?;
        let length = json.len();
        self.append_json(&item.vau_id.to_string(), json)?;
        Ok(length)
    }

    fn append_json(&self, vau_id: &str, json: String) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO outbox (vau_id, item) VALUES (?, ?)",
            vec![vau_id.into(), json.into()],
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
             OR EXISTS (SELECT 1 FROM segment WHERE instr(body, ?1) > 0)";
        let held = if self.one(undelivered, vec![id.as_str().into()])?.is_some() {
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
            "SELECT vau_id, item FROM conflict WHERE item IS NOT NULL",
            vec![],
        )? {
            let vau_id = held.text(0, "conflict")?;
            if body.contains(vau_id) {
                self.append_json(vau_id, held.text(1, "conflict")?.to_owned())?;
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

    pub(crate) fn has_rates(&self) -> Result<bool, StoreError> {
        Ok(self.one("SELECT 1 FROM rate LIMIT 1", vec![])?.is_some())
    }

    /// Drops counters of windows that ended before `window`.
    pub(crate) fn forget_rates(&self, window: u64) -> Result<(), StoreError> {
        self.run("DELETE FROM rate WHERE window < ?", vec![number(window)])
            .map(drop)
    }

    /// Drops what was only kept to recognise duplicates before `before`, and promises of days before `day`.
    pub(crate) fn forget_accepted(&self, before: u64, day: u64) -> Result<(), StoreError> {
        self.run(
            "DELETE FROM accepted WHERE accepted_at < ?",
            vec![number(before)],
        )?;
        self.run(
            "DELETE FROM conflict WHERE seen_at < ? AND item IS NULL",
            vec![number(before)],
        )?;
        self.run("DELETE FROM emission WHERE day < ?", vec![number(day)])
            .map(drop)
    }

    fn one(&self, query: &str, values: Vec<Value>) -> Result<Option<Row>, StoreError> {
        Ok(self.run(query, values)?.into_iter().next())
    }

    fn run(&self, query: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let failed = |error: worker::Error| StoreError::Sql(error.to_string());
        let cursor = self.0.exec(query, values).map_err(failed)?;
        cursor.raw().map(|row| row.map_err(failed)).collect()
    }
}

fn json(item: &AcceptedVau) -> Result<String, StoreError> {
    serde_json::to_string(item).map_err(|error| StoreError::Sql(error.to_string()))
}

/// Numbers here are times, counts and days: far below 2^53.
fn number(n: impl Into<u64>) -> Value {
    Value::Integer(i64::try_from(n.into()).unwrap_or(i64::MAX))
}

/// Columns of a row, by place.
trait Columns {
    fn text(&self, place: usize, table: &'static str) -> Result<&str, StoreError>;
    fn signed(&self, place: usize, table: &'static str) -> Result<i64, StoreError>;

    fn unsigned(&self, place: usize, table: &'static str) -> Result<u64, StoreError> {
        u64::try_from(self.signed(place, table)?).map_err(|_| StoreError::Row(table))
    }

    fn small(&self, place: usize, table: &'static str) -> Result<u32, StoreError> {
        u32::try_from(self.signed(place, table)?).map_err(|_| StoreError::Row(table))
    }

    fn moment(&self, place: usize, table: &'static str) -> Result<EpochMs, StoreError> {
        EpochMs::new(self.unsigned(place, table)?).map_err(|_| StoreError::Row(table))
    }
}

impl Columns for Row {
    fn text(&self, place: usize, table: &'static str) -> Result<&str, StoreError> {
        match self.get(place) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(StoreError::Row(table)),
        }
    }

    fn signed(&self, place: usize, table: &'static str) -> Result<i64, StoreError> {
        match self.get(place) {
            Some(Value::Integer(n)) => Ok(*n),
            _ => Err(StoreError::Row(table)),
        }
    }
}
