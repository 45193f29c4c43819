//! What a decision about a VAU is made from, and what it changes.

use super::{Columns, Store, StoreError, Value, number};
use contracts::ingest::AcceptedVau;
use contracts::vau::VauAccepted;
use domain::{Amount, DeviceId, VauId};
use edge_core::admission::{DeviceRecord, Earlier, receipt};
use edge_core::limit::Counter;

impl Store {
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
}
