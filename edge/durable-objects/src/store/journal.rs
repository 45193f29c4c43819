//! What was accepted, and what the memory is rebuilt from.

use super::{Columns, Store, StoreError, Value, number, to_json};
use contracts::vau::{VauState, VauStatus};
use domain::{DeviceId, EpochMs};
use edge_core::device::DeviceRecord;
use edge_core::memory::{Checkpoint, Entry, Memory};
use edge_core::recent::{self, Known};
use edge_core::shard::Find;

type Vaus = Vec<(domain::VauId, Known)>;

impl Store {
    /// What the object knew, from the checkpoint and the rows after it.
    pub(crate) fn memory(&self) -> Result<Memory, StoreError> {
        let saved = self.one("SELECT body FROM checkpoint", vec![])?;
        let saved: Checkpoint = match saved {
            Some(row) => row.json(0, "checkpoint")?,
            None => Checkpoint::default(),
        };
        let (applied, flushed) = (saved.applied, saved.flushed);
        let mut memory = Memory::at(saved);
        for row in self.run(
            "SELECT seq, at, vaus FROM journal WHERE seq <= ? ORDER BY seq",
            vec![number(applied)],
        )? {
            memory.recall(row.unsigned(0, "journal")?, vaus_of(&row)?);
        }
        // In the checkpoint's figures, but in no segment.
        for row in self.run(
            "SELECT seq, at, entry FROM journal WHERE seq > ? AND seq <= ? ORDER BY seq",
            vec![number(flushed), number(applied)],
        )? {
            let entry: Entry = row.json(2, "journal")?;
            memory.wait(
                row.unsigned(0, "journal")?,
                row.moment(1, "journal")?,
                entry.len(),
            );
        }
        for row in self.run(
            "SELECT seq, at, vaus, entry FROM journal WHERE seq > ? ORDER BY seq",
            vec![number(applied)],
        )? {
            let entry: Entry = row.json(3, "journal")?;
            let (seq, at) = (row.unsigned(0, "journal")?, row.moment(1, "journal")?);
            memory.replay(seq, at, &entry, vaus_of(&row)?);
        }
        Ok(memory)
    }

    pub(crate) fn put_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO checkpoint VALUES (1, ?)",
            vec![to_json(checkpoint)?],
        )
        .map(drop)
    }

    /// Writes a row; gives its length in bytes.
    pub(crate) fn append(
        &self,
        seq: u64,
        at: EpochMs,
        entry: &Entry,
        vaus: &Vaus,
    ) -> Result<usize, StoreError> {
        let json = serde_json::to_string(entry).map_err(|e| StoreError::Sql(e.to_string()))?;
        let length = json.len();
        let vaus = recent::encode(vaus.iter().map(|(id, known)| (id, known)));
        self.run(
            "INSERT INTO journal VALUES (?, ?, ?, ?)",
            vec![
                number(seq),
                number(at.get()),
                json.into(),
                Value::Blob(vaus),
            ],
        )?;
        Ok(length)
    }

    pub(crate) fn device(&self, id: &DeviceId) -> Result<Option<DeviceRecord>, StoreError> {
        let row = self.one(
            "SELECT record FROM devices WHERE device_id = ?",
            vec![id.to_string().into()],
        )?;
        row.map(|row| row.json(0, "devices")).transpose()
    }

    pub(crate) fn put_device(
        &self,
        id: &DeviceId,
        record: &DeviceRecord,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO devices VALUES (?, ?)",
            vec![id.to_string().into(), to_json(record)?],
        )
        .map(drop)
    }

    /// Where a VAU of the journal's row `seq` is, if it is the asker's.
    pub(crate) fn find(
        &self,
        find: &Find,
        seq: u64,
        known: &Known,
        flushed: u64,
    ) -> Result<Option<VauStatus>, StoreError> {
        let row = self.one("SELECT entry FROM journal WHERE seq = ?", vec![number(seq)])?;
        let Some(row) = row else { return Ok(None) };
        let entry: Entry = row.json(0, "journal")?;
        if entry.groups.iter().all(|g| g.user_id != find.user_id) {
            return Ok(None);
        }
        let state = if seq > flushed {
            VauState::Accepted
        } else if self.is_undelivered(seq)? {
            VauState::Delivering
        } else {
            // The backend knows more, as whether it was set aside.
            return Ok(None);
        };
        Ok(Some(VauStatus {
            vau_id: find.vau_id,
            state,
            earned: known.earned,
            trust_score: known.trust_score,
            timestamp: known.accepted_at,
        }))
    }
}

fn vaus_of(row: &super::Row) -> Result<Vaus, StoreError> {
    recent::decode(row.blob(2, "journal")?, row.moment(1, "journal")?)
        .ok_or(StoreError::Row("journal"))
}
