//! How many members of each cohort were seen: the object behind k-anonymity. It knows weekly pseudonyms only, no more of
//! them than are needed to know that a cohort is large enough, and forgets them after two weeks.

#![allow(missing_docs)] // the attribute of the worker crate writes public methods without any

use crate::log_error;
use edge_core::cohort::{self, Count, Counted, Seen};
use serde::Serialize;
use std::cell::Cell;
use worker::{
    DurableObject, Env, Request, Response, SqlStorage, SqlStorageValue as Value, State,
    durable_object,
};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS member (
    week INTEGER NOT NULL, cohort TEXT NOT NULL, member TEXT NOT NULL, PRIMARY KEY (week, cohort, member)
) WITHOUT ROWID;
";

/// Counts members of cohorts.
#[durable_object(fetch)]
pub struct CohortCensus {
    sql: SqlStorage,
    prepared: Cell<bool>,
    /// The newest week that was seen by this instance.
    week: Cell<u64>,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
enum CensusError {
    #[error("the runtime refused: {0}")]
    Runtime(#[from] worker::Error),
    #[error("unreadable message: {0}")]
    Message(#[from] serde_json::Error),
    #[error("storage: unreadable row in member")]
    Row,
}

impl DurableObject for CohortCensus {
    fn new(state: State, _env: Env) -> Self {
        Self {
            sql: state.storage().sql(),
            prepared: Cell::new(false),
            week: Cell::new(0),
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        self.answer(request).await.or_else(|error| {
            log_error("the census could not answer", &error);
            Response::error("unavailable", 503)
        })
    }
}

impl CohortCensus {
    async fn answer(&self, mut request: Request) -> Result<Response, CensusError> {
        let text = request.text().await?;
        if !self.prepared.replace(true) {
            self.run(SCHEMA, vec![])?;
        }
        match request.path().as_str() {
            cohort::SEEN => {
                self.seen(&serde_json::from_str(&text)?)?;
                json(&serde_json::json!({}))
            }
            cohort::COUNT => json(&self.count(&serde_json::from_str(&text)?)?),
            _ => Ok(Response::error("not found", 404)?),
        }
    }

    fn seen(&self, seen: &Seen) -> Result<(), CensusError> {
        if self.week.replace(seen.week) != seen.week {
            let old = vec![number(seen.week.saturating_sub(1))];
            self.run("DELETE FROM member WHERE week < ?", old)?;
        }
        if self.members(seen.week, seen.cohort.as_str())? >= u64::from(seen.enough) {
            return Ok(());
        }
        self.run(
            "INSERT OR IGNORE INTO member VALUES (?, ?, ?)",
            vec![
                number(seen.week),
                seen.cohort.as_str().into(),
                seen.member.as_str().into(),
            ],
        )
        .map(drop)
    }

    fn count(&self, count: &Count) -> Result<Counted, CensusError> {
        let larger = |cohort: &cohort::Cohort| {
            let now = self.members(count.week, cohort.as_str())?;
            let before = self.members(count.week.saturating_sub(1), cohort.as_str())?;
            Ok(now.max(before))
        };
        let members = count.cohorts.iter().map(larger);
        Ok(Counted {
            members: members.collect::<Result<_, CensusError>>()?,
        })
    }

    fn members(&self, week: u64, cohort: &str) -> Result<u64, CensusError> {
        let query = "SELECT count(*) FROM member WHERE week = ? AND cohort = ?";
        let rows = self.run(query, vec![number(week), cohort.into()])?;
        match rows.first().and_then(|row| row.first()) {
            Some(Value::Integer(n)) => u64::try_from(*n).map_err(|_| CensusError::Row),
            _ => Err(CensusError::Row),
        }
    }

    fn run(&self, query: &str, values: Vec<Value>) -> Result<Vec<Vec<Value>>, CensusError> {
        let rows: worker::Result<Vec<Vec<Value>>> = self.sql.exec(query, values)?.raw().collect();
        Ok(rows?)
    }
}

/// Weeks are far below 2^53.
fn number(n: u64) -> Value {
    Value::Integer(i64::try_from(n).unwrap_or(i64::MAX))
}

fn json<T: Serialize>(value: &T) -> Result<Response, CensusError> {
    Ok(Response::from_json(value)?)
}
