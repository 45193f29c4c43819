//! What is thrown away with time.

use super::{Columns, Store, StoreError, number};

impl Store {
    /// Start of the oldest window that is still kept.
    pub(crate) fn oldest_rate(&self) -> Result<Option<u64>, StoreError> {
        let row = self.one("SELECT min(window) FROM rate", vec![])?;
        Ok(row.and_then(|row| row.unsigned(0, "rate").ok()))
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
}
