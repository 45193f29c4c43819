//! What is thrown away with time.

use super::{Store, StoreError, number};

impl Store {
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
}
