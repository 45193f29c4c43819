//! What the streams have lost is published again.
//!
//! The streams carry a mark: the server's run and the topics that the consumer wanted when everything that it lacked was
//! last published again. No mark, or another, means that something may be missing: the data is gone (no mark), the
//! server was restarted and may have lost the last messages (another run), or the consumer wants more than it did. The
//! mark is removed first and set last, so that a recovery that is interrupted is done again.

use super::{Consumer, Handler};
use crate::streams::Streams;
use crate::{BusError, republish};
use std::time::Duration;

impl<S: Streams, H: Handler> Consumer<S, H> {
    /// Recovers unless the mark is as it should be.
    pub(super) async fn recover_if_lost(&self) -> Result<(), BusError> {
        let mark = self.streams.mark(&self.reader.group).await?;
        let right = self.right_mark().await?;
        if mark.as_ref() == Some(&right) {
            Ok(())
        } else {
            self.recover().await
        }
    }

    /// Makes the groups, and has everything published again that was not dealt with.
    pub(super) async fn recover(&self) -> Result<(), BusError> {
        let group = &self.reader.group;
        // Before all else: what is lost after this look makes the mark wrong.
        let mark = self.right_mark().await?;
        self.streams.set_mark(group, None).await?;
        for area in &self.areas {
            self.streams.make_group(group, area).await?;
        }
        let again = self.republish(Duration::ZERO).await?;
        self.streams.set_mark(group, Some(mark)).await?;
        tracing::info!(consumer = group, again, "events were published again");
        Ok(())
    }

    /// Has those published again that were published long ago and not dealt with: a stream that was full may have
    /// dropped them, or an older release of this consumer did not want them.
    pub(super) async fn audit(&self) -> Result<(), BusError> {
        self.republish(self.config.audit_age).await.map(|_| ())
    }

    async fn republish(&self, ago: Duration) -> Result<u64, BusError> {
        let consumer = self.handler.name();
        Ok(republish::missing(&self.database, consumer, &self.topics, ago).await?)
    }

    async fn right_mark(&self) -> Result<String, BusError> {
        let topics: Vec<&str> = self.names.iter().map(String::as_str).collect();
        Ok(format!(
            "{} {}",
            self.streams.server_run().await?,
            topics.join(" ")
        ))
    }
}
