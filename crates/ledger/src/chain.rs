//! The hash chain over committed transactions: appending to it, and proving it from the rows alone.
//!
//! Postings do not wait for it. A sealer calls [`seal`] again and again; [`lag`] says how far it is behind.

mod layout;
mod verify;

pub use layout::GENESIS;
pub use verify::{Broken, Flaw, Proof, Verdict, verify, verify_after};

use crate::error::LedgerError;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::time::Duration;
use uuid::Uuid;

/// What is not sealed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Committed transactions that have no seal.
    pub unsealed: u64,
    /// How long the oldest of them has waited; zero if there is none.
    pub oldest: Duration,
}

/// Seals up to `limit` committed transactions and says how many. Sealers wait for each other; give it a
/// database transaction of its own, or what it is part of holds them all up.
///
/// # Errors
/// When the database fails.
pub async fn seal(connection: &impl ConnectionTrait, limit: u16) -> Result<u16, LedgerError> {
    let sql = "SELECT ledger_seal($1::integer) AS sealed";
    let statement =
        Statement::from_sql_and_values(DbBackend::Postgres, sql, [i32::from(limit).into()]);
    let row = connection.query_one_raw(statement).await?;
    let sealed: i32 = row.map_or(Ok(0), |row| row.try_get("", "sealed"))?;
    Ok(u16::try_from(sealed).unwrap_or(limit))
}

/// How far the sealer is behind.
///
/// # Errors
/// When the database fails.
pub async fn lag(connection: &impl ConnectionTrait) -> Result<Lag, LedgerError> {
    let sql =
        "SELECT unsealed, (oldest_seconds * 1000000)::bigint AS oldest FROM ledger_seal_lag()";
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let (unsealed, oldest): (i64, i64) = match connection.query_one_raw(statement).await? {
        None => (0, 0),
        Some(row) => (row.try_get("", "unsealed")?, row.try_get("", "oldest")?),
    };
    Ok(Lag {
        unsealed: u64::try_from(unsealed).unwrap_or(0),
        // Below zero when the database's clock was set back.
        oldest: Duration::from_micros(u64::try_from(oldest).unwrap_or(0)),
    })
}

/// Up to `limit` transactions that the sealer has passed over, of the newest `within` numbers that it need not look back
/// at. There must be none.
///
/// # Errors
/// When the database fails.
pub async fn passed_over(
    connection: &impl ConnectionTrait,
    within: u32,
    limit: u8,
) -> Result<Vec<Uuid>, LedgerError> {
    let sql = "SELECT t.id FROM ledger_seal_mark m JOIN ledger_tx t \
                   ON t.seq > m.sealed_through - $1 AND t.seq <= m.sealed_through \
               WHERE NOT EXISTS (SELECT FROM ledger_seal s WHERE s.tx_id = t.id) ORDER BY t.seq LIMIT $2";
    let values = [i64::from(within).into(), i64::from(limit).into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let rows = connection.query_all_raw(statement).await?;
    let ids = rows.iter().map(|row| row.try_get("", "id"));
    Ok(ids.collect::<Result<_, _>>()?)
}
