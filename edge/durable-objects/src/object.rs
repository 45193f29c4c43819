//! The object itself: requests in, alarms, and when the next alarm is.

#![allow(missing_docs)] // the attribute of the worker crate writes public methods without any

use crate::deliver::Alarm;
use crate::store::{Store, StoreError};
use crate::transaction::atomically;
use crate::{Bindings, accept, log_error, now};
use domain::EpochMs;
use edge_core::memory::{Checkpoint, Entry, Memory};
use edge_core::meter::Stage;
use edge_core::recent::REMEMBER_MS;
use edge_core::segment::MAX_SEGMENT_BYTES;
use edge_core::shard::{Class, Found, Report};
use edge_core::{Settings, SettingsError, shard};
use serde::Serialize;
use std::cell::{Cell, OnceCell, RefCell};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

/// How often the tables that grow slowly are cleaned.
const CLEAN_EVERY_MS: u64 = 3_600_000;
/// Rows of the journal may stay this much longer than they are needed, so that many go at once.
const CLEAN_SLACK_MS: u64 = 60_000;
/// After a failed alarm, the wait before the next.
const AFTER_FAILURE_MS: u64 = 5_000;
/// Hours that are over, in a report.
const HOURS_REPORTED: u32 = 48;

/// Accepts VAUs, and keeps each until the backend has acknowledged it.
#[durable_object(alarm)]
pub struct VauShard {
    state: State,
    bindings: Bindings,
    store: Store,
    settings: OnceCell<Settings>,
    memory: RefCell<Memory>,
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
            memory: RefCell::new(Memory::at(Checkpoint::default())),
            prepared: Cell::new(false),
            alarm_at: Cell::new(None),
            outbox_bytes: Cell::new(0),
            cleaned_at: Cell::new(0),
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let answer = self.answer(request).await.or_else(|error| {
            log_error("the shard could not answer", &error);
            self.store.forget_index();
            Response::error("unavailable", 503)
        });
        self.meter();
        answer
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.alarm_at.set(None);
        let next = match self.work().await {
            Ok(next) => next,
            Err(error) => {
                log_error("the shard's alarm failed", &error);
                self.store.forget_index();
                Some(now().get().saturating_add(AFTER_FAILURE_MS))
            }
        };
        // An error here makes the runtime ring again by itself.
        self.ring_by(next).await?;
        self.meter();
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
            shard::FIND => self.find(&serde_json::from_str(&text)?),
            shard::STATUS => json(&self.status()?),
            shard::REPORT => self.report(),
            shard::TICK => {
                self.ring_by(Some(now().get())).await?;
                json(&self.status()?)
            }
            _ => Ok(Response::error("not found", 404)?),
        }
    }

    async fn accept(&self, request: shard::Accept) -> Result<Response, ObjectError> {
        let settings = self.settings()?;
        let now = now();
        let requests = u64::from(request.requests);
        let (accepted, ring) = {
            let mut memory = self.memory.borrow_mut();
            let usage = memory.usage.today(now);
            usage.requests = usage.requests.saturating_add(requests);
            let (accepted, grown) = accept::accept(
                &self.state,
                &self.store,
                &mut memory,
                settings,
                request,
                now,
            )?;
            let ring = self.ring_after(&memory, grown, settings, now)?;
            (accepted, ring)
        };
        // Called with no await since the transaction, so the alarm is stored together with it.
        self.ring_by(ring).await?;
        json(&accepted)
    }

    async fn acknowledge(&self, request: shard::Acknowledge) -> Result<Response, ObjectError> {
        let now = now();
        {
            let mut memory = self.memory.borrow_mut();
            let seq = memory.next();
            let freed = atomically(&self.state, || {
                let Some(conflicts) = self.store.acknowledge(request.segment_id)? else {
                    return Ok(None);
                };
                let entry = Entry {
                    class: Class::Single,
                    // Nobody's limit.
                    address: String::new(),
                    promised: memory.promised(now),
                    groups: Vec::new(),
                    conflicts,
                };
                if !entry.is_empty() {
                    self.store.append(seq, now, &entry, &Vec::new())?;
                }
                Ok(Some(entry))
            })?;
            if let Some(entry) = freed {
                memory.totals.delivered = memory.totals.delivered.saturating_add(1);
                if !entry.is_empty() {
                    memory.apply(seq, now, &entry, Vec::new());
                }
            }
        }
        let next = self.next_alarm(&self.memory.borrow(), self.settings()?)?;
        self.ring_by(next).await?;
        json(&self.status()?)
    }

    fn find(&self, find: &shard::Find) -> Result<Response, ObjectError> {
        let memory = self.memory.borrow();
        let (seq, known) = (
            memory.recent.place(&find.vau_id),
            memory.recent.get(&find.vau_id),
        );
        let status = match (seq, known) {
            (Some(seq), Some(known)) => self.store.find(find, seq, known, memory.flushed())?,
            _ => None,
        };
        json(&Found { status })
    }

    fn status(&self) -> Result<shard::Status, StoreError> {
        self.store.status(self.memory.borrow().waiting(), now())
    }

    fn report(&self) -> Result<Response, ObjectError> {
        let now = now();
        let mut hours = self.store.hours(HOURS_REPORTED)?;
        let memory = self.memory.borrow();
        hours.extend(memory.hours.summaries());
        hours.sort_by(|a, b| a.hour_key.cmp(&b.hour_key));
        json(&Report {
            status: self.store.status(memory.waiting(), now)?,
            totals: memory.totals,
            usage: memory.usage,
            promised: memory.promised(now),
            hours,
        })
    }

    /// The alarm's work: flush, send, clean; gives when to ring next.
    async fn work(&self) -> Result<Option<u64>, ObjectError> {
        self.prepare()?;
        let settings = self.settings()?;
        let now = now();
        self.outbox_bytes.set(0);
        let alarm = Alarm {
            state: &self.state,
            store: &self.store,
            memory: &self.memory,
            bindings: &self.bindings,
            settings,
            now,
        };
        let stage = accept::stage(&self.memory.borrow(), settings, now);
        let more = alarm.flush(stage).await?;
        alarm.resend().await?;
        alarm.tell().await;
        let thoroughly = now.get() >= self.cleaned_at.get().saturating_add(CLEAN_EVERY_MS);
        alarm.clean(thoroughly)?;
        if thoroughly {
            self.cleaned_at.set(now.get());
        }
        if more {
            return Ok(Some(now.get()));
        }
        Ok(self.next_alarm(&self.memory.borrow(), settings)?)
    }

    /// When the alarm has to ring after an answer that has added `grown` bytes to the journal.
    fn ring_after(
        &self,
        memory: &Memory,
        grown: usize,
        settings: &Settings,
        now: EpochMs,
    ) -> Result<Option<u64>, StoreError> {
        if grown > 0 && self.grow(grown) >= MAX_SEGMENT_BYTES {
            return Ok(Some(now.get()));
        }
        if self.alarm_at.get().is_none() {
            return self.next_alarm(memory, settings);
        }
        // Everything older is covered by the alarm that is set.
        let wait = flush_interval(memory, settings, now);
        Ok((grown > 0).then(|| now.get().saturating_add(wait)))
    }

    /// The earliest moment at which there is something to do, from what is stored: an object that is put to
    /// sleep between two requests must not put its work off each time it wakes.
    fn next_alarm(&self, memory: &Memory, settings: &Settings) -> Result<Option<u64>, StoreError> {
        let wait = flush_interval(memory, settings, now());
        let flush = memory
            .waiting_since()
            .map(|since| since.saturating_add(wait));
        let clean = self.store.oldest_flushed(memory.flushed())?;
        let clean = clean.map(|at| at.saturating_add(REMEMBER_MS + CLEAN_SLACK_MS));
        let moments = [
            flush,
            self.store.next_due()?,
            clean,
            memory.hours.first_end(),
            memory.tell_at(),
        ];
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
        // Setting an alarm is billed as a row; its ringing is a call like others.
        let mut memory = self.memory.borrow_mut();
        let usage = memory.usage.today(now());
        usage.rows_written = usage.rows_written.saturating_add(1);
        Ok(())
    }

    /// Counts a call and what it has written.
    fn meter(&self) {
        let mut memory = self.memory.borrow_mut();
        let usage = memory.usage.today(now());
        usage.object_requests = usage.object_requests.saturating_add(1);
        usage.rows_written = usage.rows_written.saturating_add(self.store.take_written());
        usage.rows_read = usage.rows_read.saturating_add(self.store.take_read());
    }

    fn grow(&self, bytes: usize) -> usize {
        let total = self.outbox_bytes.get().saturating_add(bytes);
        self.outbox_bytes.set(total);
        total
    }

    fn prepare(&self) -> Result<(), StoreError> {
        if !self.prepared.get() {
            atomically(&self.state, || self.store.prepare())?;
            *self.memory.borrow_mut() = self.store.memory()?;
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

/// How long VAUs are collected before they are sent on: longer when the day's allowances run low.
fn flush_interval(memory: &Memory, settings: &Settings, now: EpochMs) -> u64 {
    let times = if accept::stage(memory, settings, now) >= Stage::LongerFlush {
        4
    } else {
        1
    };
    settings.flush_interval_ms.saturating_mul(times)
}

fn json<T: Serialize>(value: &T) -> Result<Response, ObjectError> {
    Ok(Response::from_json(value)?)
}
