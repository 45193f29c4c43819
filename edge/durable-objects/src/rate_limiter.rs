//! The object that counts for security-worker: exact limits of an address, and proofs that are used once.
//!
//! Counts are of one minute and are kept in memory: an object that is moved begins the minute anew. Proofs are stored,
//! since one that was used must stay so for as long as its challenge lasts.

#![allow(missing_docs)] // the attribute of the worker crate writes public methods without any

use crate::{log_error, now};
use domain::EpochMs;
use edge_core::limit::Addresses;
use edge_core::limiter::{MAX_SPENT, SPEND, Spend, Spent, TAKE, Take, Taken};
use serde::Serialize;
use std::cell::{Cell, RefCell};
use worker::{
    DurableObject, Env, Request, Response, SqlStorageValue as Value, State, durable_object,
};

const SCHEMA: &str =
    "CREATE TABLE IF NOT EXISTS spent (id TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID";
const COUNT: &str = "SELECT count(*) FROM spent";
const INSERT: &str =
    "INSERT INTO spent (id, until) VALUES (?, ?) ON CONFLICT (id) DO NOTHING RETURNING id";
const SWEEP: &str = "DELETE FROM spent WHERE until <= ?";
/// How often ended proofs are thrown away while there are any.
const SWEEP_EVERY_MS: i64 = 120_000;

/// Counts for every isolate of security-worker.
#[durable_object(alarm)]
pub struct RateLimiter {
    state: State,
    addresses: RefCell<Addresses>,
    /// Proofs in the table; none: not asked yet.
    spent: Cell<Option<u64>>,
    rings: Cell<bool>,
}

impl DurableObject for RateLimiter {
    fn new(state: State, _env: Env) -> Self {
        Self {
            state,
            addresses: RefCell::new(Addresses::exact()),
            spent: Cell::new(None),
            rings: Cell::new(false),
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        self.answer(request).await.or_else(|error| {
            log_error("the limiter could not answer", &error);
            Response::error("unavailable", 503)
        })
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.rings.set(false);
        if self.sweep(now())? > 0 {
            self.ring().await?;
        }
        Response::ok("")
    }
}

impl RateLimiter {
    async fn answer(&self, mut request: Request) -> worker::Result<Response> {
        let text = request.text().await?;
        match request.path().as_str() {
            TAKE => self.take(&serde_json::from_str(&text)?),
            SPEND => self.spend(&serde_json::from_str(&text)?).await,
            _ => Response::error("not found", 404),
        }
    }

    fn take(&self, take: &Take) -> worker::Result<Response> {
        let taken = self
            .addresses
            .borrow_mut()
            .take(&take.key, take.limit, now());
        let (Ok(rate) | Err(rate)) = taken;
        json(&Taken {
            within: taken.is_ok(),
            rate,
        })
    }

    async fn spend(&self, spend: &Spend) -> worker::Result<Response> {
        if self.known()? >= MAX_SPENT && self.sweep(now())? >= MAX_SPENT {
            return Response::error("full", 503);
        }
        let values = vec![
            Value::String(spend.id.clone()),
            Value::Integer(i64::try_from(spend.until).unwrap_or(i64::MAX)),
        ];
        let fresh = self.rows(INSERT, values)?.len() == 1;
        if fresh {
            self.spent.set(Some(self.known()?.saturating_add(1)));
            self.ring().await?;
        }
        json(&Spent { fresh })
    }

    /// How many proofs are stored.
    fn known(&self) -> worker::Result<u64> {
        if let Some(known) = self.spent.get() {
            return Ok(known);
        }
        self.rows(SCHEMA, vec![])?;
        self.recount()
    }

    fn recount(&self) -> worker::Result<u64> {
        let rows = self.rows(COUNT, vec![])?;
        let count = match rows.first().and_then(|row| row.first()) {
            Some(Value::Integer(count)) => u64::try_from(*count).unwrap_or_default(),
            _ => 0,
        };
        self.spent.set(Some(count));
        Ok(count)
    }

    /// Throws away what has ended; gives how many are left.
    fn sweep(&self, now: EpochMs) -> worker::Result<u64> {
        self.known()?;
        let now = i64::try_from(now.get()).unwrap_or(i64::MAX);
        self.rows(SWEEP, vec![Value::Integer(now)])?;
        self.recount()
    }

    async fn ring(&self) -> worker::Result<()> {
        if !self.rings.replace(true) {
            self.state.storage().set_alarm(SWEEP_EVERY_MS).await?;
        }
        Ok(())
    }

    fn rows(&self, query: &str, values: Vec<Value>) -> worker::Result<Vec<Vec<Value>>> {
        let cursor = self.state.storage().sql().exec(query, values)?;
        cursor.raw().collect()
    }
}

fn json<T: Serialize>(value: &T) -> worker::Result<Response> {
    Response::from_json(value)
}
