//! Getting events and dealing with each exactly once.

mod deal;
mod recover;

use crate::BusError;
use crate::event::Envelope;
use crate::stop::Stop;
use crate::streams::{Delivery, Reader, StreamError, Streams};
use crate::topic::Topic;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr};
use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How a consumer works.
#[derive(Debug, Clone)]
pub struct ConsumerConfig {
    /// How long a read waits for the first event.
    pub block: Duration,
    /// Events in one read.
    pub count: u64,
    /// An event that was delivered so long ago and is not dealt with is taken over.
    pub idle: Duration,
    /// How often is looked for such events, and for lost data.
    pub reclaim_every: Duration,
    /// After this, dealing with one event has failed. Less than `idle`.
    pub patience: Duration,
    /// The delivery that, when it fails, is the last.
    pub deliveries: u64,
    /// How often events that got lost without a trace are published again.
    pub audit_every: Duration,
    /// The age from which on an event that was not dealt with counts as lost.
    pub audit_age: Duration,
}

impl Default for ConsumerConfig {
    fn default() -> Self {
        Self {
            block: Duration::from_secs(2),
            count: 100,
            idle: Duration::from_secs(30),
            reclaim_every: Duration::from_secs(10),
            patience: Duration::from_secs(25),
            deliveries: 8,
            audit_every: Duration::from_hours(1),
            audit_age: Duration::from_mins(10),
        }
    }
}

/// Why an event was not dealt with.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// The database failed. When it is away, the event waits until it is back.
    #[error(transparent)]
    Database(#[from] DbErr),
    /// Anything else. The text is kept for people; what may be private in it is blanked.
    #[error("{0}")]
    Failed(String),
}

impl From<BusError> for HandlerError {
    fn from(error: BusError) -> Self {
        match error {
            BusError::Database(error) => Self::Database(error),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// Deals with events.
pub trait Handler: Send + Sync + 'static {
    /// Names the consumer for ever: what it has dealt with is noted under this name.
    fn name(&self) -> &'static str;

    /// What it wants.
    fn topics(&self) -> Vec<Topic>;

    /// Makes the effect of `event`, all of it in `transaction`: that commits only together with the note that the event
    /// was dealt with. Whatever happens outside of it may happen again.
    fn handle(
        &self,
        transaction: &DatabaseTransaction,
        event: &Envelope,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

/// Gets the events of one handler. Any number of instances may run.
#[derive(Debug)]
pub struct Consumer<S, H> {
    database: DatabaseConnection,
    streams: S,
    handler: H,
    config: ConsumerConfig,
    reader: Reader,
    topics: Vec<Topic>,
    names: BTreeSet<String>,
    areas: Vec<String>,
}

impl<S: Streams, H: Handler> Consumer<S, H> {
    /// A consumer whose effects go to `database`.
    pub fn new(
        database: DatabaseConnection,
        streams: S,
        handler: H,
        config: ConsumerConfig,
    ) -> Self {
        let topics = handler.topics();
        let areas: BTreeSet<String> = topics.iter().map(|t| t.area().to_owned()).collect();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self {
            database,
            streams,
            config,
            reader: Reader {
                group: handler.name().to_owned(),
                name: format!("{}-{}", host.trim(), Uuid::new_v4().simple()),
            },
            names: topics.iter().map(ToString::to_string).collect(),
            handler,
            topics,
            areas: areas.into_iter().collect(),
        }
    }

    /// Works until asked to stop; the event in hand is dealt with first.
    pub async fn run(self, stop: Stop) {
        if self.topics.is_empty() {
            return;
        }
        let mut check = Instant::now();
        let mut audit = Instant::now();
        while !stop.is_asked() {
            let outcome = self.turn(&mut check, &mut audit, &stop).await;
            if let Err(error) = outcome {
                tracing::warn!(consumer = self.handler.name(), cause = %error, "events wait");
                // Whatever it was, data may be gone with it.
                check = Instant::now();
                stop.sleep(Duration::from_millis(500)).await;
            }
        }
    }

    async fn turn(
        &self,
        check: &mut Instant,
        audit: &mut Instant,
        stop: &Stop,
    ) -> Result<(), BusError> {
        let now = Instant::now();
        if now >= *check {
            // Without the database nothing can be dealt with, and each attempt would count as a delivery.
            self.database.execute_unprepared("SELECT 1").await?;
            self.recover_if_lost().await?;
            self.reclaim(stop).await?;
            *check = now + self.config.reclaim_every;
        }
        if now >= *audit {
            self.audit().await?;
            *audit = now + self.config.audit_every;
        }
        let reading = self.streams.read(
            &self.reader,
            &self.areas,
            self.config.count,
            self.config.block,
        );
        match stop.or(reading).await {
            None => Ok(()),
            Some(Ok(deliveries)) => self.deal_with_all(deliveries, stop).await,
            Some(Err(StreamError::NoGroup)) => self.recover().await,
            Some(Err(error)) => Err(error.into()),
        }
    }

    /// Takes over what others, or this one, have had for too long.
    async fn reclaim(&self, stop: &Stop) -> Result<(), BusError> {
        for area in &self.areas {
            let claim = self
                .streams
                .claim(&self.reader, area, self.config.idle, self.config.count);
            match claim.await {
                Ok(claimed) => {
                    self.deal_with_all(claimed.deliveries, stop).await?;
                    if claimed.lost {
                        self.recover().await?;
                    }
                }
                Err(StreamError::NoGroup) => self.recover().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// What is left when asked to stop stays owed, and another takes it over.
    async fn deal_with_all(&self, deliveries: Vec<Delivery>, stop: &Stop) -> Result<(), BusError> {
        for delivery in deliveries {
            if stop.is_asked() {
                break;
            }
            self.deal_with(&delivery, stop).await?;
        }
        Ok(())
    }
}
