//! Every query of the object, by purpose: [`journal`] is what was accepted and what the memory is rebuilt from,
//! [`outbox`] what is on its way to the backend, [`clean`] throws away.

mod clean;
mod index;
mod journal;
mod outbox;

use index::Outbox;
pub(crate) use outbox::{Due, Kind, Outgoing};

use domain::EpochMs;
use std::cell::Cell;
use worker::{SqlStorage, SqlStorageValue as Value};

/// The object's storage failed, or holds what this code did not write.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// A statement or transaction failed.
    #[error("storage: {0}")]
    Sql(String),
    /// A row cannot be read back.
    #[error("storage: unreadable row in {0}")]
    Row(&'static str),
}

/// The tables.
#[derive(Debug)]
pub(crate) struct Store {
    sql: SqlStorage,
    /// Rows written since somebody asked.
    written: Cell<u64>,
    /// Rows read since somebody asked.
    read: Cell<u64>,
    /// What is in `segments`, without the bodies.
    outbox: Outbox,
}

type Row = Vec<Value>;

impl Store {
    pub(crate) const fn new(sql: SqlStorage) -> Self {
        Self {
            sql,
            written: Cell::new(0),
            read: Cell::new(0),
            outbox: Outbox::new(),
        }
    }

    pub(crate) fn prepare(&self) -> Result<(), StoreError> {
        self.run(crate::schema::SCHEMA, vec![])?;
        if self.one(crate::schema::IS_OLD, vec![])?.is_some() {
            self.run(crate::schema::UPGRADE, vec![])?;
        }
        Ok(())
    }

    pub(crate) fn bytes(&self) -> usize {
        self.sql.database_size()
    }

    /// Rows written since the last call.
    pub(crate) fn take_written(&self) -> u64 {
        self.written.replace(0)
    }

    /// Rows read since the last call.
    pub(crate) fn take_read(&self) -> u64 {
        self.read.replace(0)
    }

    fn one(&self, query: &str, values: Vec<Value>) -> Result<Option<Row>, StoreError> {
        Ok(self.run(query, values)?.into_iter().next())
    }

    fn run(&self, query: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let failed = |error: worker::Error| StoreError::Sql(error.to_string());
        let cursor = self.sql.exec(query, values).map_err(failed)?;
        let rows = cursor.raw().map(|row| row.map_err(failed)).collect();
        let written = u64::try_from(cursor.rows_written()).unwrap_or(0);
        self.written.set(self.written.get().saturating_add(written));
        let read = u64::try_from(cursor.rows_read()).unwrap_or(0);
        self.read.set(self.read.get().saturating_add(read));
        rows
    }
}

/// Numbers here are times, counts and places: far below 2^53.
fn number(n: impl Into<u64>) -> Value {
    Value::Integer(i64::try_from(n.into()).unwrap_or(i64::MAX))
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<Value, StoreError> {
    serde_json::to_string(value)
        .map(Value::String)
        .map_err(|error| StoreError::Sql(error.to_string()))
}

/// Columns of a row, by place.
trait Columns {
    fn text(&self, place: usize, table: &'static str) -> Result<&str, StoreError>;
    fn blob(&self, place: usize, table: &'static str) -> Result<&[u8], StoreError>;
    fn signed(&self, place: usize, table: &'static str) -> Result<i64, StoreError>;

    fn unsigned(&self, place: usize, table: &'static str) -> Result<u64, StoreError> {
        u64::try_from(self.signed(place, table)?).map_err(|_| StoreError::Row(table))
    }

    fn small(&self, place: usize, table: &'static str) -> Result<u32, StoreError> {
        u32::try_from(self.signed(place, table)?).map_err(|_| StoreError::Row(table))
    }

    fn moment(&self, place: usize, table: &'static str) -> Result<EpochMs, StoreError> {
        EpochMs::new(self.unsigned(place, table)?).map_err(|_| StoreError::Row(table))
    }

    fn json<T: serde::de::DeserializeOwned>(
        &self,
        place: usize,
        table: &'static str,
    ) -> Result<T, StoreError> {
        serde_json::from_str(self.text(place, table)?).map_err(|_| StoreError::Row(table))
    }
}

impl Columns for Row {
    fn text(&self, place: usize, table: &'static str) -> Result<&str, StoreError> {
        match self.get(place) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(StoreError::Row(table)),
        }
    }

    fn blob(&self, place: usize, table: &'static str) -> Result<&[u8], StoreError> {
        match self.get(place) {
            Some(Value::Blob(bytes)) => Ok(bytes),
            _ => Err(StoreError::Row(table)),
        }
    }

    fn signed(&self, place: usize, table: &'static str) -> Result<i64, StoreError> {
        match self.get(place) {
            Some(Value::Integer(n)) => Ok(*n),
            _ => Err(StoreError::Row(table)),
        }
    }
}
