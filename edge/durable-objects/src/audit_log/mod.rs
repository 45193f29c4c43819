//! The audit log's object: chains records, keeps them until the bucket has confirmed their segment, signs a root for
//! each day that has ended.

#![allow(missing_docs)] // the attribute of the worker crate writes public methods without any

mod bucket;
mod seal;
mod sign;
mod store;

use crate::store::StoreError;
use crate::{Bindings, log_error, now};
use edge_core::SettingsError;
use edge_core::audit::{self, Append, Appended, Config, Day, Head};
use serde::Serialize;
use std::cell::{Cell, OnceCell};
use store::{Entry, Store};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

/// Beyond this nothing more is taken: what is in the log has to reach the bucket first.
const MAX_BYTES: usize = 64 << 20;
/// Bytes of records that make a segment without waiting for the time.
const FULL_BYTES: usize = audit::segment::MAX_SEGMENT_BYTES;
/// The first wait after the bucket has failed; doubled each time.
const RETRY_MS: u64 = 2_000;
/// The longest.
const MAX_RETRY_MS: u64 = 300_000;
const DAY_MS: u64 = 86_400_000;

/// Chains audit records.
#[durable_object(alarm)]
pub struct AuditLog {
    state: State,
    bindings: Bindings,
    store: Store,
    config: OnceCell<Config>,
    prepared: Cell<bool>,
    /// Where the chain ends, and the first day that a new record may be of.
    head: Cell<Option<(Head, Day)>>,
    alarm_at: Cell<Option<u64>>,
    /// Bytes taken since the last segment was closed, as far as this instance knows.
    grown: Cell<usize>,
    failures: Cell<u32>,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
enum LogError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("the runtime refused: {0}")]
    Runtime(#[from] worker::Error),
    #[error("unwritable record: {0}")]
    Record(#[from] serde_json::Error),
    #[error("another object is in the place of {0}")]
    Taken(String),
}

impl DurableObject for AuditLog {
    fn new(state: State, env: Env) -> Self {
        let store = Store::new(state.storage().sql());
        Self {
            state,
            bindings: Bindings::new(env),
            store,
            config: OnceCell::new(),
            prepared: Cell::new(false),
            head: Cell::new(None),
            alarm_at: Cell::new(None),
            grown: Cell::new(0),
            failures: Cell::new(0),
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        self.answer(request).await.or_else(|error| {
            log_error("the audit log could not answer", &error);
            Response::error("unavailable", 503)
        })
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.alarm_at.set(None);
        let next = match self.work().await {
            Ok(next) => {
                self.failures.set(0);
                next
            }
            Err(error) => {
                log_error("the audit log could not store its segments", &error);
                Some(self.again())
            }
        };
        self.ring_by(next).await?;
        Response::ok("")
    }
}

impl AuditLog {
    async fn answer(&self, mut request: Request) -> Result<Response, LogError> {
        let body = request.bytes().await?;
        self.prepare()?;
        match request.path().as_str() {
            audit::APPEND => match Append::parse(&body) {
                Ok(append) => self.append(append).await,
                Err(error) => Ok(Response::error(error.to_string(), 400)?),
            },
            audit::STATUS => json(&self.store.status()?),
            _ => Ok(Response::error("not found", 404)?),
        }
    }

    async fn append(&self, append: Append) -> Result<Response, LogError> {
        if self.store.bytes() > MAX_BYTES {
            return Ok(Response::error("full", 503)?);
        }
        let config = self.config()?;
        let now = now();
        let (mut head, least) = self.head()?;
        let day = Day::of(now).max(least);
        let first_seq = head.seq.saturating_add(1);
        let mut lines = String::new();
        for record in append.records {
            lines.push_str(&serde_json::to_string(&head.append(record))?);
            lines.push('\n');
        }
        let grown = self.grown.get().saturating_add(lines.len());
        let entry = Entry {
            first_seq,
            head,
            day,
            lines,
        };
        self.store.append(entry, now.get())?;
        self.head.set(Some((head, day)));
        self.grown.set(grown);
        let full = grown >= FULL_BYTES && self.failures.get() == 0;
        let wait = if full { 0 } else { config.flush_ms };
        // Called with no await since the row was written, so the alarm is stored together with it.
        self.ring_by(Some(now.get().saturating_add(wait))).await?;
        json(&Appended { seq: head.seq })
    }

    /// When the alarm has to ring next, from what is stored.
    fn next_alarm(&self) -> Result<Option<u64>, LogError> {
        let config = self.config()?;
        let waiting = self.store.waiting_since()?;
        let waiting = waiting.map(|since| since.saturating_add(config.flush_ms));
        // The root of a day is due when it has ended.
        let day = match &config.signing_key {
            Some(_) => self.store.oldest_day()?,
            None => None,
        };
        let ended = day.map(|day| day.number().saturating_add(1).saturating_mul(DAY_MS));
        Ok([waiting, ended].into_iter().flatten().min())
    }

    /// When to try again after a failure.
    fn again(&self) -> u64 {
        let failures = self.failures.get();
        self.failures.set(failures.saturating_add(1));
        let wait = RETRY_MS
            .saturating_mul(1 << failures.min(10))
            .min(MAX_RETRY_MS);
        // Where segments are closed often, as in tests, the wait is as short.
        let flush = self.config().map_or(MAX_RETRY_MS, |config| config.flush_ms);
        now().get().saturating_add(wait.min(flush))
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

    fn head(&self) -> Result<(Head, Day), StoreError> {
        match self.head.get() {
            Some(head) => Ok(head),
            None => self.store.head(),
        }
    }

    fn prepare(&self) -> Result<(), StoreError> {
        if !self.prepared.get() {
            self.store.prepare()?;
            self.prepared.set(true);
        }
        Ok(())
    }

    fn config(&self) -> Result<&Config, SettingsError> {
        if let Some(config) = self.config.get() {
            return Ok(config);
        }
        let config = self.bindings.audit_config()?;
        Ok(self.config.get_or_init(|| config))
    }
}

fn json<T: Serialize>(value: &T) -> Result<Response, LogError> {
    Ok(Response::from_json(value)?)
}
