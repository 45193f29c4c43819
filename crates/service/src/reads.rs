//! Reads that many requests make: by key, over one connection that all of them share.
//!
//! A pool gives each query a connection, and asks it afterwards whether it is still good: two round trips a query, and
//! half of what a small request costs. Here the queries of all requests follow one another on a single connection
//! without waiting for each other's answers. A slow query makes those behind it wait, so it is for reads by key; the
//! rest, and everything that writes, is for the pool.
//!
//! The connection speaks no TLS, so it is only made to a server on this machine or where the URL says `sslmode=disable`.
//! Without it, and whenever it is down, the pool answers: nothing fails that would not have failed with the pool alone.

mod line;
mod value;

pub use value::{Column, Param, Row};

use crate::config::DatabaseConfig;
use line::Dialer;
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, RuntimeErr, Statement, Value,
};
use std::sync::Arc;

/// Makes reads by key. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reads(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: DatabaseConnection,
    line: Option<Arc<Dialer>>,
}

impl Reads {
    /// Reads the database of `pool`, which `config` is of. Connects in the background, and again whenever the
    /// connection is lost; call it within the runtime.
    pub fn new(
        pool: DatabaseConnection,
        config: &DatabaseConfig,
        application_name: &'static str,
    ) -> Self {
        let line = Dialer::of(config, application_name).map(Arc::new);
        if let Some(line) = &line {
            line.dial();
        }
        Self(Arc::new(Inner { pool, line }))
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// As of a query of the pool: [`db::is_unavailable`](crate::db::is_unavailable) tells the kinds apart.
    pub async fn one(&self, sql: &'static str, params: &[Param]) -> Result<Option<Row>, DbErr> {
        Ok(self.all(sql, params).await?.into_iter().next())
    }

    /// All rows: so few that they fit into a page.
    ///
    /// # Errors
    /// As of [`Reads::one`].
    pub async fn all(&self, sql: &'static str, params: &[Param]) -> Result<Vec<Row>, DbErr> {
        let inner = &*self.0;
        if let Some(line) = &inner.line {
            match line.ask(sql, params).await {
                Ok(Some(rows)) => return Ok(rows.into_iter().map(Row::of_line).collect()),
                Ok(None) => {}
                // It took too long: to ask the pool as well would double the load of a server that is busy.
                Err(slow) => return Err(DbErr::Conn(RuntimeErr::Internal(slow.to_string()))),
            }
        }
        Box::pin(self.ask_pool(sql, params)).await
    }

    async fn ask_pool(&self, sql: &'static str, params: &[Param]) -> Result<Vec<Row>, DbErr> {
        let values = params.iter().map(Value::from);
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let rows = self.0.pool.query_all_raw(statement).await?;
        Ok(rows.into_iter().map(Row::of_pool).collect())
    }
}
