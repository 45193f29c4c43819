//! The books, checked: every invariant on one snapshot, and the hash chain from where it was proved last.

use crate::state::AppState;
use ledger::LedgerError;
use ledger::chain::{self, Proof};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    IsolationLevel, Statement, TransactionTrait as _, Value,
};
use std::time::Duration;

/// What the verdict on the hash chain is called among those on invariants.
const CHAIN: &str = "chain";

/// What was found of one invariant.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) invariant: String,
    /// How much breaks it.
    pub(crate) broken: u64,
    /// How long ago that was found.
    pub(crate) age: Duration,
}

/// The verdicts of the last check.
pub(crate) async fn last(db: &DatabaseConnection) -> Result<Vec<Verdict>, DbErr> {
    let sql = "SELECT invariant, broken, \
                   (extract(epoch FROM clock_timestamp() - checked_at) * 1000)::bigint AS age FROM verdicts";
    let rows = db.query_all_raw(statement(sql, [])).await?;
    rows.iter()
        .map(|row| {
            let (broken, age): (i32, i64) = (row.try_get("", "broken")?, row.try_get("", "age")?);
            Ok(Verdict {
                invariant: row.try_get("", "invariant")?,
                broken: u64::try_from(broken).unwrap_or(0),
                age: Duration::from_millis(u64::try_from(age).unwrap_or(0)),
            })
        })
        .collect()
}

pub(super) async fn run(state: AppState) -> Result<(), LedgerError> {
    let snapshot = snapshot(&state).await?;
    let mut found = Vec::new();
    for finding in ledger::check::run(&snapshot).await? {
        let invariant = finding.invariant;
        if let Some(first) = finding.broken_by.first() {
            let (title, first) = (invariant.title, bus::redacted(first));
            let count = finding.broken_by.len();
            tracing::error!(
                invariant = invariant.id,
                title,
                count,
                first,
                "an invariant of the ledger is broken; see twist ledger check"
            );
        }
        let broken = i32::try_from(finding.broken_by.len()).unwrap_or(i32::MAX);
        found.push((invariant.id, broken));
    }
    let verdict = chain::verify_after(&snapshot, proof(&snapshot).await?).await?;
    if let Some(broken) = verdict.broken {
        tracing::error!(
            seal = broken.seq,
            transaction = %broken.tx,
            flaw = ?broken.flaw,
            "the hash chain of the ledger is broken; see twist ledger verify-chain"
        );
    }
    found.push((CHAIN, i32::from(verdict.broken.is_some())));
    snapshot.rollback().await?;
    keep(&state.db, &found, verdict.proof()).await?;
    Ok(())
}

/// A transaction that sees one state of the books, for as long as the check takes.
async fn snapshot(state: &AppState) -> Result<DatabaseTransaction, DbErr> {
    let isolation = Some(IsolationLevel::RepeatableRead);
    let transaction = state
        .db
        .begin_with_config(isolation, Some(AccessMode::ReadOnly))
        .await?;
    let seconds = state.config.check.statement_timeout_seconds;
    let sql = format!("SET LOCAL statement_timeout = '{seconds}s'");
    transaction.execute_unprepared(&sql).await?;
    Ok(transaction)
}

/// How far the chain was proved by the last check.
async fn proof(connection: &impl ConnectionTrait) -> Result<Proof, DbErr> {
    let sql = "SELECT seals, head FROM chain_proof";
    let Some(row) = connection.query_one_raw(statement(sql, [])).await? else {
        return Ok(Proof::none());
    };
    let (seals, head): (i64, Vec<u8>) = (row.try_get("", "seals")?, row.try_get("", "head")?);
    Ok(Proof {
        seals: u64::try_from(seals).unwrap_or(0),
        head: <[u8; 32]>::try_from(head)
            .map_err(|_| DbErr::Type("head of chain_proof".to_owned()))?,
    })
}

/// Writes down what was found, all at once.
async fn keep(
    db: &DatabaseConnection,
    found: &[(&'static str, i32)],
    proof: Proof,
) -> Result<(), DbErr> {
    let names: Vec<String> = found.iter().map(|(name, _)| (*name).to_owned()).collect();
    let counts: Vec<i32> = found.iter().map(|(_, broken)| *broken).collect();
    let transaction = db.begin().await?;
    let sql = "INSERT INTO verdicts (invariant, broken, checked_at) \
               SELECT name, broken, now() FROM unnest($1::text[], $2::integer[]) AS found (name, broken) \
               ON CONFLICT (invariant) DO UPDATE SET broken = excluded.broken, checked_at = excluded.checked_at";
    let values = [names.clone().into(), counts.into()];
    transaction.execute_raw(statement(sql, values)).await?;
    // What only another release checks would stand for ever.
    let sql = "DELETE FROM verdicts WHERE invariant <> ALL ($1)";
    transaction
        .execute_raw(statement(sql, [names.into()]))
        .await?;
    if proof.seals > 0 {
        let sql = "INSERT INTO chain_proof (seals, head) VALUES ($1, $2) \
                   ON CONFLICT (one) DO UPDATE SET seals = excluded.seals, head = excluded.head";
        let seals = i64::try_from(proof.seals).unwrap_or(i64::MAX);
        let values = [seals.into(), proof.head.to_vec().into()];
        transaction.execute_raw(statement(sql, values)).await?;
    }
    transaction.commit().await
}

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
