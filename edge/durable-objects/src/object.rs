//! The object itself: requests in, alarms, and when the next alarm is.

#![allow(missing_docs)] // the attribute of the worker crate writes public methods without any

use crate::store::{Store, StoreError};
use crate::transaction::atomically;
use crate::{Bindings, accept, deliver, log_error, now};
use domain::EpochMs;
use edge_core::limit::WINDOW_MS;
use edge_core::segment::MAX_SEGMENT_BYTES;
use edge_core::{Settings, SettingsError, shard};
use serde::Serialize;
use std::cell::{Cell, OnceCell};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

/// How often the tables that grow with every VAU are cleaned.
const CLEAN_EVERY_MS: u64 = 3_600_000;
/// After a failed alarm, the wait before the next.
const AFTER_FAILURE_MS: u64 = 5_000;

/// Accepts VAUs, and keeps each until the backend has acknowledged it.
#[durable_object(alarm)]
pub struct VauShard {
    state: State,
    bindings: Bindings,
    store: Store,
    settings: OnceCell<Settings>,
    prepared: Cell<bool>,
    /// When the alarm rings, as far as this instance knows.
    alarm_at: Cell<Option<u64>>,
    /// Bytes accepted since the last flush.
    outbox_bytes: Cell<usize>,
    cleaned_at: Cell<u64>,
}

/// Why a request to the object has no answer.
#[derive(Debug, thiserror::Error)]
enum ObjectError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("the runtime refused: {0}")]
    Runtime(#[from] worker::Error),
    #[error("unreadable message: {0}")]
    Message(#[from] serde_json::Error),
}

impl DurableObject for VauShard {
    fn new(state: State, env: Env) -> Self {
        let store = Store::new(state.storage().sql());
        Self {
            state,
            bindings: Bindings::new(env),
            store,
            settings: OnceCell::new(),
            prepared: Cell::new(false),
            alarm_at: Cell::new(None),
            outbox_bytes: Cell::new(0),
            cleaned_at: Cell::new(0),
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        self.answer(request).await.or_else(|error| {
            log_error("the shard could not answer", &error);
            Response::error("unavailable", 503)
        })
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.alarm_at.set(None);
        let next = match self.work().await {
            Ok(next) => next,
            Err(error) => {
                log_error("the shard's alarm failed", &error);
                Some(now().get().saturating_add(AFTER_FAILURE_MS))
            }
        };
        // An error here makes the runtime ring again by itself.
        self.ring_by(next).await?;
        Response::ok("")
    }
}

impl VauShard {
    async fn answer(&self, mut request: Request) -> Result<Response, ObjectError> {
        let text = request.text().await?;
        self.prepare()?;
        match request.path().as_str() {
            shard::ACCEPT => self.accept(serde_json::from_str(&text)?).await,
            shard::ACKNOWLEDGE => self.acknowledge(serde_json::from_str(&text)?).await,
            shard::STATUS => json(&self.store.status(now())?),
            _ => Ok(Response::error("not found", 404)?),
        }
    }

    async fn accept(&self, request: shard::Accept) -> Result<Response, ObjectError> {
        let settings = self.settings()?;
        let now = now();
        let (accepted, grown) = accept::accept(&self.state, &self.store, settings, request, now)?;
        let ring = self.ring_after(grown, settings, now)?;
        // Called with no await since the transaction, so the alarm is stored together with it.
        self.ring_by(ring).await?;
        json(&accepted)
    }

    async fn acknowledge(&self, request: shard::Acknowledge) -> Result<Response, ObjectError> {
        atomically(&self.state, || self.store.acknowledge(request.segment_id))?;
        self.ring_by(self.next_alarm(self.settings()?)?).await?;
        json(&self.store.status(now())?)
    }

    /// The alarm's work: flush, send, clean; gives when to ring next.
    async fn work(&self) -> Result<Option<u64>, ObjectError> {
        self.prepare()?;
        let settings = self.settings()?;
        let started = now();
        self.outbox_bytes.set(0);
        deliver::flush(&self.state, &self.store, started)?;
        deliver::send_due(&self.store, &self.bindings.queue()?, settings, started).await?;
        let thoroughly = started.get() >= self.cleaned_at.get().saturating_add(CLEAN_EVERY_MS);
        deliver::clean(&self.store, started, thoroughly)?;
        if thoroughly {
            self.cleaned_at.set(started.get());
        }
        Ok(self.next_alarm(settings)?)
    }

    /// When the alarm has to ring after an answer that has added `grown` bytes to the outbox.
    fn ring_after(
        &self,
        grown: usize,
        settings: &Settings,
        now: EpochMs,
    ) -> Result<Option<u64>, StoreError> {
        if grown > 0 && self.grow(grown) >= MAX_SEGMENT_BYTES {
            return Ok(Some(now.get()));
        }
        if self.alarm_at.get().is_none() {
            return self.next_alarm(settings);
        }
        // Everything older is covered by the alarm that is set; looking it up would read whole tables.
        let wait = if grown > 0 {
            settings.flush_interval_ms
        } else {
            2 * WINDOW_MS
        };
        Ok(Some(now.get().saturating_add(wait)))
    }

    /// The earliest moment at which there is something to do, from what is stored: an object that is put to
    /// sleep between two requests must not put its work off each time it wakes.
    fn next_alarm(&self, settings: &Settings) -> Result<Option<u64>, StoreError> {
        let flush = self.store.waiting_since()?;
        let flush = flush.map(|since| since.saturating_add(settings.flush_interval_ms));
        let clean = self.store.oldest_rate()?;
        let clean = clean.map(|window| window.saturating_add(2 * WINDOW_MS));
        let moments = [flush, self.store.next_due()?, clean];
        Ok(moments.into_iter().flatten().min())
    }

    /// Makes sure that the alarm rings at `at` or before.
    async fn ring_by(&self, at: Option<u64>) -> Result<(), worker::Error> {
        let Some(at) = at else { return Ok(()) };
        if self.alarm_at.get().is_some_and(|rings| rings <= at) {
            return Ok(());
        }
        let wait = i64::try_from(at.saturating_sub(now().get())).unwrap_or(i64::MAX);
        self.state.storage().set_alarm(wait).await?;
        self.alarm_at.set(Some(at));
        Ok(())
    }

    fn grow(&self, bytes: usize) -> usize {
        let total = self.outbox_bytes.get().saturating_add(bytes);
        self.outbox_bytes.set(total);
        total
    }

    fn prepare(&self) -> Result<(), StoreError> {
        if !self.prepared.get() {
            self.store.prepare()?;
            self.prepared.set(true);
        }
        Ok(())
    }

    fn settings(&self) -> Result<&Settings, SettingsError> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let settings = self.bindings.settings()?;
        Ok(self.settings.get_or_init(|| settings))
    }
}

fn json<T: Serialize>(value: &T) -> Result<Response, ObjectError> {
    Ok(Response::from_json(value)?)
}
