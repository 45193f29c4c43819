//! Every query of the object, by purpose: [`admit`] reads and writes what a decision is about, [`outbox`] what
//! is on its way to the backend, [`clean`] throws away.

mod admit;
mod clean;
mod outbox;

pub(crate) use outbox::Due;

use domain::EpochMs;
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
#[derive(Debug, Clone)]
pub(crate) struct Store(SqlStorage);

type Row = Vec<Value>;

impl Store {
    pub(crate) fn new(sql: SqlStorage) -> Self {
        Self(sql)
    }

    pub(crate) fn prepare(&self) -> Result<(), StoreError> {
        self.run(crate::schema::SCHEMA, vec![]).map(drop)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.database_size()
    }

    fn one(&self, query: &str, values: Vec<Value>) -> Result<Option<Row>, StoreError> {
        Ok(self.run(query, values)?.into_iter().next())
    }

    fn run(&self, query: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let failed = |error: worker::Error| StoreError::Sql(error.to_string());
        let cursor = self.0.exec(query, values).map_err(failed)?;
        cursor.raw().map(|row| row.map_err(failed)).collect()
    }
}

/// Numbers here are times, counts and days: far below 2^53.
fn number(n: impl Into<u64>) -> Value {
    Value::Integer(i64::try_from(n.into()).unwrap_or(i64::MAX))
}

/// Columns of a row, by place.
trait Columns {
    fn text(&self, place: usize, table: &'static str) -> Result<&str, StoreError>;
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
}

impl Columns for Row {
    fn text(&self, place: usize, table: &'static str) -> Result<&str, StoreError> {
        match self.get(place) {
            Some(Value::String(text)) => Ok(text),
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
