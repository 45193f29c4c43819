//! Everything that a database holds, as text.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use std::collections::BTreeMap;

const TABLES: &str = "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables \
     WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE' ORDER BY 1";

/// Every table of `db`, which must be a connection of their owner.
///
/// # Panics
/// When the database does not answer.
pub async fn tables(db: &DatabaseConnection) -> Vec<String> {
    let names = rows(db, TABLES, "name").await;
    assert!(!names.is_empty(), "no table can be seen");
    names
}

/// Every row of every table as JSON, whatever its columns are (`bytea` is hex), with the table's name.
///
/// # Panics
/// When the database does not answer.
pub async fn contents(db: &DatabaseConnection) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for table in tables(db).await {
        let sql = format!("SELECT to_jsonb(t)::text AS row FROM {table} t");
        let rows = rows(db, &sql, "row").await;
        all.extend(rows.into_iter().map(|row| (table.clone(), row)));
    }
    all
}

/// How many rows every table has.
///
/// # Panics
/// When the database does not answer.
pub async fn counts(db: &DatabaseConnection, tables: &[String]) -> BTreeMap<String, String> {
    let each: Vec<String> = tables
        .iter()
        .map(|table| format!("(SELECT '{table} ' || count(*) FROM {table})"))
        .collect();
    let sql = format!("SELECT unnest(ARRAY[{}]) AS line", each.join(", "));
    let lines = rows(db, &sql, "line").await;
    lines
        .iter()
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(table, count)| (table.to_owned(), count.to_owned()))
        .collect()
}

async fn rows(db: &DatabaseConnection, sql: &str, column: &str) -> Vec<String> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let rows = db
        .query_all_raw(statement)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.iter()
        .map(|row| {
            row.try_get("", column)
                .unwrap_or_else(|error| panic!("{sql}: {error}"))
        })
        .collect()
}
