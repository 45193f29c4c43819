//! Bringing committed events from the outbox to the streams.
//!
//! One relay at a time is the leader; all others wait to become it. The leader's lock, its row locks and its marks all
//! belong to one database session: a leader that lost its session has lost the lock with it, and what it appends then
//! was not marked, so it is appended again by the next and absorbed by consumers.

mod leader;

use crate::BusError;
use crate::metrics as names;
use crate::stop::Stop;
use crate::streams::{Entry, Streams};
use crate::topic::area_of;
use failpoint::Point;
use leader::Leader;
use sea_orm::sqlx::postgres::PgListener;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// How a relay works.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// How long an event waits at most when nobody says that it is there.
    pub poll: Duration,
    /// How often a relay that does not lead tries to.
    pub campaign: Duration,
    /// Events in one round.
    pub batch: u16,
    /// How long appending one batch may take.
    pub patience: Duration,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(500),
            campaign: Duration::from_secs(1),
            batch: 500,
            patience: Duration::from_secs(3),
        }
    }
}

/// Publishes what the outbox holds. Any number may run.
#[derive(Debug)]
pub struct Relay<S> {
    database_url: String,
    streams: S,
    config: RelayConfig,
    leads: Arc<AtomicBool>,
}

impl<S: Streams> Relay<S> {
    /// A relay with connections of its own to the database.
    pub fn new(database_url: impl Into<String>, streams: S, config: RelayConfig) -> Self {
        Self {
            database_url: database_url.into(),
            streams,
            config,
            leads: Arc::default(),
        }
    }

    /// Says, from elsewhere, whether this relay leads now.
    pub fn leads(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.leads)
    }

    /// Works until asked to stop.
    pub async fn run(self, stop: Stop) {
        let wake = Arc::new(Notify::new());
        let listening = tokio::spawn(listen(
            self.database_url.clone(),
            Arc::clone(&wake),
            stop.clone(),
        ));
        while !stop.is_asked() {
            let outcome = stop.or(Leader::campaign(&self.database_url)).await;
            match outcome {
                None => break,
                Some(Ok(Some(leader))) => self.reign(leader, &wake, &stop).await,
                Some(Ok(None)) => {}
                Some(Err(error)) => tracing::warn!(cause = %error, "the relay cannot try to lead"),
            }
            stop.sleep(self.config.campaign).await;
        }
        listening.abort();
    }

    async fn reign(&self, mut leader: Leader, wake: &Notify, stop: &Stop) {
        tracing::info!("this relay leads");
        self.set_leads(true);
        let mut troubled = BTreeSet::new();
        while !stop.is_asked() {
            match self.round(&mut leader, &mut troubled).await {
                Ok(true) => {}
                Ok(false) => {
                    // Every area gets its chance again.
                    troubled.clear();
                    tokio::select! {
                        () = wake.notified() => {}
                        () = stop.sleep(self.config.poll) => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(cause = %error, "this relay no longer leads");
                    break;
                }
            }
        }
        self.set_leads(false);
        leader.resign().await;
    }

    /// Publishes one batch, leaving out areas that do not take events now. Says whether there may be more at once.
    async fn round(
        &self,
        leader: &mut Leader,
        troubled: &mut BTreeSet<String>,
    ) -> Result<bool, BusError> {
        let leave_out: Vec<String> = troubled.iter().cloned().collect();
        let batch = leader.begin(self.config.batch, &leave_out).await?;
        if batch.is_empty() {
            leader.give_up().await?;
            return Ok(false);
        }
        failpoint::here(Point::RelayTaken);
        let entries: Vec<Entry> = batch
            .iter()
            .map(|(_, topic, envelope)| Entry {
                area: area_of(topic).to_owned(),
                envelope: envelope.clone(),
            })
            .collect();
        let append = self.streams.append(&entries);
        let appended = tokio::time::timeout(self.config.patience, append)
            .await
            .unwrap_or_else(|_| vec![false; entries.len()]);
        let mut done = Vec::with_capacity(batch.len());
        for (((id, ..), entry), appended) in batch.iter().zip(entries).zip(appended) {
            if appended {
                done.push(*id);
            } else {
                troubled.insert(entry.area);
            }
        }
        if done.is_empty() {
            leader.give_up().await?;
            metrics::counter!(names::RELAY_ROUNDS, "result" => "failed").increment(1);
            // What other areas have may be behind what this one cannot take.
            return Ok(true);
        }
        failpoint::here(Point::RelayAppended);
        leader.mark(&done).await?;
        failpoint::here(Point::RelayMarked);
        metrics::counter!(names::RELAY_ROUNDS, "result" => "ok").increment(1);
        metrics::counter!(names::PUBLISHED).increment(u64::try_from(done.len()).unwrap_or(0));
        Ok(batch.len() == usize::from(self.config.batch) || done.len() < batch.len())
    }

    fn set_leads(&self, leads: bool) {
        self.leads.store(leads, Ordering::Relaxed);
        metrics::gauge!(names::RELAY_LEADS).set(if leads { 1.0 } else { 0.0 });
    }
}

/// Wakes the relay when an event is committed. Polling goes on while this is not possible.
async fn listen(url: String, wake: Arc<Notify>, stop: Stop) {
    while !stop.is_asked() {
        if let Some(Err(error)) = stop.or(listen_once(&url, &wake)).await {
            tracing::debug!(cause = %error, "the relay is not told of events and polls");
        }
        stop.sleep(Duration::from_secs(1)).await;
    }
}

async fn listen_once(url: &str, wake: &Notify) -> Result<(), BusError> {
    let mut listener = PgListener::connect(url).await?;
    listener.listen("twist_outbox").await?;
    loop {
        listener.recv().await?;
        wake.notify_one();
    }
}
