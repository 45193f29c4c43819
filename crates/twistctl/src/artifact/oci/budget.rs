//! How much may be kept in memory.

use super::{OciError, shown};
use std::io::{self, Read};

/// What is left of the bytes and entries that one image may have.
pub(super) struct Budget {
    limit: u64,
    bytes: u64,
    entries: u32,
}

const MOST_ENTRIES: u32 = 20_000;

impl Budget {
    pub(super) const fn new(limit: u64) -> Self {
        Self {
            limit,
            bytes: limit,
            entries: MOST_ENTRIES,
        }
    }

    pub(super) const fn limit(&self) -> u64 {
        self.limit
    }

    /// One more entry.
    pub(super) fn entry(&mut self, entry: &str) -> Result<(), OciError> {
        self.entries = self
            .entries
            .checked_sub(1)
            .ok_or_else(|| self.too_large(entry))?;
        Ok(())
    }

    /// These bytes are kept.
    pub(super) fn spend(&mut self, entry: &str, bytes: usize) -> Result<(), OciError> {
        self.bytes = u64::try_from(bytes)
            .ok()
            .and_then(|bytes| self.bytes.checked_sub(bytes))
            .ok_or_else(|| self.too_large(entry))?;
        Ok(())
    }

    /// Everything from a reader, if it fits.
    pub(super) fn read_all(&mut self, entry: &str, from: impl Read) -> Result<Vec<u8>, OciError> {
        let mut bytes = Vec::new();
        from.take(self.bytes.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| broken(entry, &error))?;
        self.spend(entry, bytes.len())?;
        Ok(bytes)
    }

    fn too_large(&self, entry: &str) -> OciError {
        OciError::TooLarge {
            entry: shown(entry),
            limit: self.limit,
        }
    }
}

/// Bytes that cannot be decompressed or taken apart.
pub(super) fn broken(entry: &str, error: &io::Error) -> OciError {
    let why = if error.kind() == io::ErrorKind::UnexpectedEof {
        "is cut short".to_owned()
    } else {
        format!("is damaged ({error})")
    };
    OciError::damaged(entry, why)
}
