//! Short forms of statements.

use domain::Amount;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};

pub(crate) fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

pub(crate) async fn one(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<QueryResult>, DbErr> {
    connection.query_one_raw(statement(sql, values)).await
}

/// Returns how many rows it touched.
pub(crate) async fn run(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, DbErr> {
    let done = connection.execute_raw(statement(sql, values)).await?;
    Ok(done.rows_affected())
}

pub(crate) fn amount(row: &QueryResult, column: &str) -> Result<Amount, DbErr> {
    let units: i64 = row.try_get("", column)?;
    Amount::try_from(units).map_err(malformed)
}

pub(crate) fn malformed(error: impl std::fmt::Display) -> DbErr {
    DbErr::Type(error.to_string())
}
