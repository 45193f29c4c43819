//! One delivery: its effect, its note, its acknowledgement.

use super::{Consumer, Handler, HandlerError};
use crate::event::Envelope;
use crate::metrics::DELIVERIES;
use crate::sql::run;
use crate::stop::Stop;
use crate::streams::{Delivery, Streams};
use crate::{BusError, dead_letter};
use failpoint::Point;
use futures_util::FutureExt as _;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// How long is waited before a database that is away is tried again.
const PAUSE: Duration = Duration::from_millis(500);
/// How often in one delivery an event gives way to other transactions, or to a time limit of the database.
const MAX_CONFLICTS: u32 = 3;

/// What became of an event.
enum Dealt {
    Handled,
    /// It was dealt with before.
    Repeated,
}

impl<S: Streams, H: Handler> Consumer<S, H> {
    /// Deals with one message, whatever is in it. An error is one of the streams or of the database.
    pub(super) async fn deal_with(&self, delivery: &Delivery, stop: &Stop) -> Result<(), BusError> {
        let text = delivery.envelope.as_deref().unwrap_or_default();
        let event: Envelope = match serde_json::from_str(text) {
            Ok(event) => event,
            Err(error) => {
                let why = format!("not an event: {error}");
                return self.give_up(delivery, None, &why).await;
            }
        };
        if !self.names.contains(&event.topic) {
            self.count("other");
            return self.acknowledge(delivery).await;
        }
        if delivery.deliveries > self.config.deliveries {
            let why = "the process ended during the last delivery";
            return self.give_up(delivery, Some(&event), why).await;
        }
        let mut conflicts = 0u32;
        loop {
            match self.attempt(&event).await {
                Ok(dealt) => {
                    self.count(match dealt {
                        Dealt::Handled => "handled",
                        Dealt::Repeated => "repeated",
                    });
                    return self.acknowledge(delivery).await;
                }
                Err(HandlerError::Database(error))
                    if service::db::is_unavailable(&error) && conflicts < MAX_CONFLICTS =>
                {
                    tracing::warn!(consumer = self.handler.name(), cause = %error, "an event waits for the database");
                    // With the database there, it may still be the event's doing.
                    if !self.wait_for_database(stop).await {
                        conflicts = conflicts.saturating_add(1);
                    }
                    if stop.is_asked() {
                        return Ok(());
                    }
                }
                Err(error) => return self.failed(delivery, &event, &error).await,
            }
        }
    }

    /// Waits until the database answers, or until asked to stop. Says whether there was anything to wait for: then it
    /// was not the event's doing, it would be no better elsewhere, and does not count.
    async fn wait_for_database(&self, stop: &Stop) -> bool {
        let mut waited = false;
        while !stop.is_asked() && self.database.execute_unprepared("SELECT 1").await.is_err() {
            waited = true;
            stop.sleep(PAUSE).await;
        }
        waited
    }

    async fn attempt(&self, event: &Envelope) -> Result<Dealt, HandlerError> {
        failpoint::here(Point::ConsumerBeforeEffect);
        let transaction = self.database.begin().await?;
        // First, so that two deliveries at once wait for each other here and not in the handler.
        let sql = "INSERT INTO inbox (consumer, event_id) SELECT $1::text, $2::uuid WHERE NOT EXISTS ( \
                       SELECT FROM dead_letter WHERE consumer = $1::text AND event_id = $2::uuid \
                       AND resolution IS DISTINCT FROM 'replayed') \
                   ON CONFLICT DO NOTHING";
        let values = [self.handler.name().into(), event.event_id.into()];
        if run(&transaction, sql, values).await? == 0 {
            transaction.rollback().await?;
            return Ok(Dealt::Repeated);
        }
        let handling = AssertUnwindSafe(self.handler.handle(&transaction, event)).catch_unwind();
        match tokio::time::timeout(self.config.patience, handling).await {
            Ok(Ok(outcome)) => outcome?,
            Ok(Err(_)) => return Err(HandlerError::Failed("the handler panicked".to_owned())),
            Err(_) => return Err(HandlerError::Failed("the handler took too long".to_owned())),
        }
        failpoint::here(Point::ConsumerBeforeCommit);
        transaction.commit().await?;
        failpoint::here(Point::ConsumerBeforeAck);
        Ok(Dealt::Handled)
    }

    /// The event stays owed and comes again, until this was its last delivery.
    async fn failed(
        &self,
        delivery: &Delivery,
        event: &Envelope,
        error: &HandlerError,
    ) -> Result<(), BusError> {
        self.count("failed");
        tracing::warn!(
            consumer = self.handler.name(), event = %event.event_id, topic = event.topic,
            deliveries = delivery.deliveries, cause = crate::redacted(&error.to_string()),
            "an event was not dealt with"
        );
        if delivery.deliveries < self.config.deliveries {
            return Ok(());
        }
        self.give_up(delivery, Some(event), &error.to_string())
            .await
    }

    async fn give_up(
        &self,
        delivery: &Delivery,
        event: Option<&Envelope>,
        why: &str,
    ) -> Result<(), BusError> {
        let consumer = self.handler.name();
        dead_letter::record(&self.database, consumer, delivery, event, why).await?;
        failpoint::here(Point::DeadLetterBeforeAck);
        tracing::error!(
            consumer,
            message = delivery.id,
            "an event was given up; see the dead letters"
        );
        self.count("dead");
        self.acknowledge(delivery).await
    }

    async fn acknowledge(&self, delivery: &Delivery) -> Result<(), BusError> {
        self.streams
            .acknowledge(&self.reader, &delivery.area, &delivery.id)
            .await?;
        Ok(())
    }

    fn count(&self, result: &'static str) {
        metrics::counter!(DELIVERIES, "consumer" => self.handler.name(), "result" => result)
            .increment(1);
    }
}
