//! The books, checked: every invariant by itself, so that one that takes too long leaves the others be, and the hash chain
//! from where it was proved last.

use crate::state::AppState;
use ledger::LedgerError;
use ledger::chain::{self, Proof};
use ledger::check::{INVARIANTS, Invariant, MAX_SHOWN};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    IsolationLevel, Statement, TransactionTrait as _, Value,
};
use std::time::Duration;

/// What the verdict on the hash chain is called among those on invariants.
const CHAIN: &str = "chain";
/// So many transactions are looked at for one that has no seal, the newest of those that should.
const LOOKED_BACK: u32 = 100_000;

/// What was found of one invariant.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) invariant: String,
    /// How much breaks it.
    pub(crate) broken: u64,
    /// How long ago that was found.
    pub(crate) age: Duration,
}

/// The last verdicts.
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

/// What there are verdicts on.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    asked().map(|invariant| invariant.id).chain([CHAIN])
}

/// The invariants whose question is asked. The proof of the chain is that of its own, and costs only what is new.
fn asked() -> impl Iterator<Item = &'static Invariant> {
    INVARIANTS.iter().filter(|invariant| invariant.id != "L8")
}

pub(super) async fn run(state: AppState) -> Result<(), LedgerError> {
    forget(&state.db).await?;
    for invariant in asked() {
        let found = ask(&state, invariant).await.map_err(LedgerError::from);
        note(&state.db, invariant.id, found).await?;
    }
    note(&state.db, CHAIN, prove(&state).await).await
}

/// Keeps what was found. What could not be answered keeps the verdict that it has, which grows old.
async fn note(
    db: &DatabaseConnection,
    name: &'static str,
    found: Result<usize, LedgerError>,
) -> Result<(), LedgerError> {
    match found {
        Ok(broken) => Ok(keep(db, name, broken).await?),
        Err(LedgerError::Database(error)) if is_away(&error) => Err(error.into()),
        Err(error) => {
            let cause = bus::redacted(&error.to_string());
            tracing::error!(invariant = name, cause, "an invariant could not be checked");
            Ok(())
        }
    }
}

/// Whether nothing else can be asked either.
fn is_away(error: &DbErr) -> bool {
    service::db::is_unavailable(error)
        && !ledger::is_timeout(error)
        && !ledger::is_contention(error)
}

/// How much breaks `invariant`.
async fn ask(state: &AppState, invariant: &Invariant) -> Result<usize, DbErr> {
    let snapshot = snapshot(state).await?;
    let finding = invariant.ask(&snapshot).await?;
    snapshot.rollback().await?;
    let count = finding.broken_by.len();
    if let Some(first) = finding.broken_by.first() {
        let (title, first) = (invariant.title, bus::redacted(first));
        tracing::error!(
            invariant = invariant.id,
            title,
            count,
            first,
            "an invariant of the ledger is broken; see twist ledger check"
        );
    }
    Ok(count)
}

/// How much is wrong with the chain: proves what is new, and looks for what has no place in it.
async fn prove(state: &AppState) -> Result<usize, LedgerError> {
    // What is sealed meanwhile is left to the next run.
    let snapshot = snapshot(state).await?;
    let verdict = chain::verify_after(&snapshot, proof(&snapshot).await?).await?;
    let passed_over = chain::passed_over(&snapshot, LOOKED_BACK, MAX_SHOWN).await?;
    snapshot.rollback().await?;
    if let Some(broken) = verdict.broken {
        tracing::error!(
            seal = broken.seq,
            transaction = %broken.tx,
            flaw = ?broken.flaw,
            "the hash chain of the ledger is broken; see twist ledger verify-chain"
        );
    }
    if let Some(first) = passed_over.first() {
        let count = passed_over.len();
        tracing::error!(transaction = %first, count, "transactions have no seal and will get none");
    }
    keep_proof(&state.db, verdict.proof()).await?;
    let broken = usize::from(verdict.broken.is_some());
    Ok(broken.saturating_add(passed_over.len()))
}

/// A transaction that sees one state of the books.
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

/// Writes down what was found.
async fn keep(db: &DatabaseConnection, name: &'static str, broken: usize) -> Result<(), DbErr> {
    let sql = "INSERT INTO verdicts (invariant, broken, checked_at) VALUES ($1, $2, now()) \
               ON CONFLICT (invariant) DO UPDATE SET broken = excluded.broken, checked_at = excluded.checked_at";
    let broken = i32::try_from(broken).unwrap_or(i32::MAX);
    let values = [name.into(), broken.into()];
    db.execute_raw(statement(sql, values)).await.map(|_| ())
}

/// What only another release checks would stand for ever.
async fn forget(db: &DatabaseConnection) -> Result<(), DbErr> {
    let names: Vec<String> = names().map(str::to_owned).collect();
    let sql = "DELETE FROM verdicts WHERE invariant <> ALL ($1)";
    let done = db.execute_raw(statement(sql, [names.into()])).await;
    done.map(|_| ())
}

async fn keep_proof(db: &DatabaseConnection, proof: Proof) -> Result<(), DbErr> {
    if proof.seals == 0 {
        return Ok(());
    }
    let sql = "INSERT INTO chain_proof (seals, head) VALUES ($1, $2) \
               ON CONFLICT (one) DO UPDATE SET seals = excluded.seals, head = excluded.head";
    let seals = i64::try_from(proof.seals).unwrap_or(i64::MAX);
    let values = [seals.into(), proof.head.to_vec().into()];
    db.execute_raw(statement(sql, values)).await.map(|_| ())
}

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
