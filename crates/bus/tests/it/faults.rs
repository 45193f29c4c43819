//! Streams that misbehave on purpose.

use bus::RedisStreams;
use bus::streams::{Claimed, Delivery, Entry, Reader, StreamError, Streams};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Appending does what it should and then never comes back.
    HangsAfterAppend,
    /// So does acknowledging, but it does nothing.
    HangsBeforeAcknowledge,
    /// Acknowledging does nothing and says that all is well.
    ForgetsToAcknowledge,
    /// Each message comes twice, in another order.
    TwiceAndShuffled,
}

/// Real streams with one fault.
#[derive(Debug, Clone)]
pub(crate) struct Faulty {
    inner: RedisStreams,
    kind: Kind,
    /// How often the fault has happened.
    pub(crate) happened: Arc<AtomicU32>,
}

impl Faulty {
    pub(crate) fn new(inner: RedisStreams, kind: Kind) -> Self {
        Self {
            inner,
            kind,
            happened: Arc::default(),
        }
    }

    fn happens(&self, kind: Kind) -> bool {
        if self.kind == kind {
            self.happened.fetch_add(1, Ordering::SeqCst);
        }
        self.kind == kind
    }
}

impl Streams for Faulty {
    async fn append(&self, entries: &[Entry]) -> Vec<bool> {
        let done = self.inner.append(entries).await;
        if done.contains(&true) && self.happens(Kind::HangsAfterAppend) {
            std::future::pending::<()>().await;
        }
        done
    }

    async fn read(
        &self,
        reader: &Reader,
        areas: &[String],
        count: u64,
        block: Duration,
    ) -> Result<Vec<Delivery>, StreamError> {
        let mut found = self.inner.read(reader, areas, count, block).await?;
        if !found.is_empty() && self.happens(Kind::TwiceAndShuffled) {
            found.extend(found.clone());
            // Some order that is not the one it was, by the last digits of the ids.
            found.sort_by_key(|delivery| delivery.id.bytes().rev().collect::<Vec<_>>());
            let half = found.len() / 2;
            found.rotate_left(half);
        }
        Ok(found)
    }

    async fn claim(
        &self,
        reader: &Reader,
        area: &str,
        idle: Duration,
        count: u64,
    ) -> Result<Claimed, StreamError> {
        self.inner.claim(reader, area, idle, count).await
    }

    async fn acknowledge(&self, reader: &Reader, area: &str, id: &str) -> Result<(), StreamError> {
        if self.happens(Kind::HangsBeforeAcknowledge) {
            std::future::pending::<()>().await;
        }
        if self.happens(Kind::ForgetsToAcknowledge) {
            return Ok(());
        }
        self.inner.acknowledge(reader, area, id).await
    }

    async fn make_group(&self, group: &str, area: &str) -> Result<(), StreamError> {
        self.inner.make_group(group, area).await
    }

    async fn server_run(&self) -> Result<String, StreamError> {
        self.inner.server_run().await
    }

    async fn mark(&self, group: &str) -> Result<Option<String>, StreamError> {
        self.inner.mark(group).await
    }

    async fn set_mark(&self, group: &str, mark: Option<String>) -> Result<(), StreamError> {
        self.inner.set_mark(group, mark).await
    }
}
