//! The alarm's work: close what waits, store what is closed, sign what has ended.

use super::bucket::{Put, put};
use super::store::Entry;
use super::{AuditLog, FULL_BYTES, LogError, sign};
use crate::now;
use crate::transaction::atomically;
use edge_core::audit::segment::{self, Header};
use edge_core::audit::{Day, SignedRoot};

/// Entries that are read at once: with the longest ones still a small part of an isolate's memory.
const MOST_ENTRIES: u64 = 200;
/// Segments closed or stored in one alarm; the rest follows in the next.
const MOST_SEGMENTS: u32 = 20;

impl AuditLog {
    /// Gives when to ring next.
    pub(super) async fn work(&self) -> Result<Option<u64>, LogError> {
        self.prepare()?;
        self.grown.set(0);
        let mut left = MOST_SEGMENTS;
        while left > 0 && self.close()? {
            left = left.saturating_sub(1);
        }
        let mut stored = 0_u32;
        while self.store_oldest().await? {
            stored = stored.saturating_add(1);
            if stored >= MOST_SEGMENTS {
                return Ok(Some(now().get()));
            }
        }
        while self.sign_oldest().await? {}
        if left == 0 {
            return Ok(Some(now().get()));
        }
        self.next_alarm()
    }

    /// Closes one segment, if anything waits.
    fn close(&self) -> Result<bool, LogError> {
        let entries = fitting(self.store.waiting(MOST_ENTRIES)?);
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Ok(false);
        };
        let end = last.head;
        let count = end.seq.saturating_sub(first.first_seq).saturating_add(1);
        let before = self.store.closed()?.segment_hash;
        let header = Header::new(first.day, first.first_seq, count, before);
        let lines: Vec<String> = entries
            .iter()
            .flat_map(|entry| entry.lines.lines().map(str::to_owned))
            .collect();
        let body = segment::body(&header, &lines);
        let hash = segment::hash(body.as_bytes());
        atomically(&self.state, || self.store.close(&header, body, hash, end))?;
        Ok(true)
    }

    /// Stores the oldest segment; in order, so that the bucket never has a later one without those before.
    async fn store_oldest(&self) -> Result<bool, LogError> {
        let Some(segment) = self.store.segment()? else {
            return Ok(false);
        };
        match put(&self.bindings.audit_bucket()?, &segment.key, &segment.body).await? {
            Put::Stored => self.store.confirmed(segment.first_seq)?,
            Put::Other(_) => return Err(LogError::Taken(segment.key)),
        }
        Ok(true)
    }

    /// Signs and stores the root of the oldest day that has ended.
    async fn sign_oldest(&self) -> Result<bool, LogError> {
        let Some(key) = &self.config()?.signing_key else {
            return Ok(false);
        };
        let Some(root) = self.store.root(Day::of(now()))? else {
            return Ok(false);
        };
        let signature = sign::sign(key, &root.canonical()).await?;
        let signed = SignedRoot::new(root.clone(), &signature);
        let body = serde_json::to_string(&signed)?;
        if let Put::Other(there) = put(&self.bindings.audit_bucket()?, &root.key(), &body).await? {
            // The same root with the signature of a key that was changed since.
            let same = serde_json::from_slice::<SignedRoot>(&there);
            if !same.is_ok_and(|there| there.root == root) {
                return Err(LogError::Taken(root.key()));
            }
        }
        atomically(&self.state, || self.store.rooted(&root))?;
        // The next record asks the tables for the first day that is open.
        self.head.set(None);
        Ok(true)
    }
}

/// As many as fit in a segment, one at least.
fn fitting(entries: Vec<Entry>) -> Vec<Entry> {
    let mut bytes = 0_usize;
    entries
        .into_iter()
        .take_while(|entry| {
            let first = bytes == 0;
            bytes = bytes.saturating_add(entry.lines.len());
            first || bytes <= FULL_BYTES
        })
        .collect()
}
