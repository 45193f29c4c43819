//! What Workers and objects tell each other, and what an object keeps.

use crate::parts::now;
use contracts::ingest::VauSegment;
use edge_core::memory::{Checkpoint, Entry, Memory};
use edge_core::{cohort, limiter, recent, shard};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A message that can be read is written and read back as the same.
pub(crate) fn messages(input: &[u8]) {
    same::<shard::Accept>(input);
    same::<shard::Accepted>(input);
    same::<shard::Acknowledge>(input);
    same::<shard::Find>(input);
    same::<shard::Found>(input);
    same::<shard::Status>(input);
    same::<shard::Report>(input);
    same::<limiter::Take>(input);
    same::<limiter::Taken>(input);
    same::<limiter::Spend>(input);
    same::<limiter::Spent>(input);
    same::<cohort::Seen>(input);
    same::<cohort::Count>(input);
    same::<cohort::Counted>(input);
    same::<VauSegment>(input);
    if let Some(accepted) = same::<shard::Accepted>(input) {
        let _ = accepted.reply.decided(&accepted.rate, now());
    }
}

/// What an object keeps is what it wakes up with.
pub(crate) fn journal(input: &[u8]) {
    if let Some(vaus) = recent::decode(input, now()) {
        let again = recent::encode(vaus.iter().map(|(id, known)| (id, known)));
        assert_eq!(again, input);
    }
    if let Some(entry) = same::<Entry>(input) {
        let groups = entry.groups.iter().chain(&entry.conflicts);
        let vaus: usize = groups.map(|group| group.items.len()).sum();
        assert_eq!(entry.len(), vaus as u64);
        let mut memory = Memory::at(Checkpoint::default());
        memory.apply(1, now(), &entry, Vec::new());
        let _ = memory.checkpoint(0, now());
    }
    if let Some(checkpoint) = same::<Checkpoint>(input) {
        let memory = Memory::at(checkpoint);
        let written = memory.checkpoint(memory.flushed(), now());
        let woken = Memory::at(written.clone());
        assert_eq!(woken.checkpoint(memory.flushed(), now()), written);
    }
}

/// Compared as text: not every message can be compared.
fn same<T: Serialize + DeserializeOwned>(input: &[u8]) -> Option<T> {
    let message = serde_json::from_slice::<T>(input).ok()?;
    let written = serde_json::to_string(&message).unwrap_or_default();
    let read = serde_json::from_str::<T>(&written).ok();
    let again = read.and_then(|read| serde_json::to_string(&read).ok());
    assert_eq!(again, Some(written));
    Some(message)
}
