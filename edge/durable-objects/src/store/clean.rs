//! What is thrown away with time.

use super::{Columns, Store, StoreError, number};

/// Rows of the journal dropped at a time.
const MOST_ROWS: u32 = 500;

impl Store {
    /// When the oldest row was written that is in a segment.
    pub(crate) fn oldest_flushed(&self, flushed: u64) -> Result<Option<u64>, StoreError> {
        let row = self.one(
            "SELECT at FROM journal WHERE seq <= ? ORDER BY seq LIMIT 1",
            vec![number(flushed)],
        )?;
        row.map(|row| row.unsigned(0, "journal")).transpose()
    }

    /// Drops rows that are in segments and were written before `before`: the oldest, without a look at the others. The
    /// next alarm goes on.
    pub(crate) fn forget_rows(&self, before: u64, flushed: u64) -> Result<(), StoreError> {
        self.run(
            "DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE seq <= ? ORDER BY seq LIMIT ?) AND at < ?",
            vec![number(flushed), number(MOST_ROWS), number(before)],
        )
        .map(drop)
    }

    /// Drops conflicts that were reported, and hours before `hour`.
    pub(crate) fn forget_reports(&self, before: u64, hour: u64) -> Result<(), StoreError> {
        self.run(
            "DELETE FROM conflicts WHERE seen_at < ? AND body IS NULL",
            vec![number(before)],
        )?;
        self.run("DELETE FROM hours WHERE hour < ?", vec![number(hour)])
            .map(drop)
    }
}
