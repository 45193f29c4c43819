//! Two-phase transactions: money is set aside first, and what becomes of it is said once.
//!
//! Each function is one call in the database transaction of its connection, does nothing when it is
//! asked the same again, and tells by its answer whether it did something.

use crate::error::LedgerError;
use crate::posting::{Posting, TxId, TxKind, millis};
use crate::values::{bigints, texts, uuids};
use domain::EpochMs;
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use std::time::Duration;

/// What causes the transaction that settles or reverses another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What it is for.
    pub kind: TxKind,
    /// What caused it.
    pub source_ref: String,
    /// When it takes effect.
    pub effective_at: EpochMs,
}

impl Cause {
    /// The id of the transaction that it causes.
    pub fn id(&self) -> TxId {
        TxId::of(self.kind, &self.source_ref)
    }
}

/// Sets aside what `posting` moves, without moving it. After `lifetime`, by the database's clock, it can
/// no longer be posted and [`expire_due`] voids it; `None` waits for ever.
///
/// # Errors
/// As of [`crate::posting::post`].
pub async fn reserve(
    connection: &impl ConnectionTrait,
    posting: &Posting,
    lifetime: Option<Duration>,
) -> Result<bool, LedgerError> {
    let lifetime = lifetime.map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
    let legs = posting.legs();
    let values = vec![
        posting.id().as_uuid().into(),
        posting.kind().as_str().into(),
        posting.source_ref().into(),
        millis(posting.effective_at()).into(),
        lifetime.into(),
        uuids(legs.iter().map(|leg| leg.account.id().as_uuid())),
        texts(legs.iter().map(|leg| leg.side.as_str().to_owned())),
        bigints(legs.iter().map(|leg| leg.amount.to_i64())),
    ];
    let sql = "SELECT ledger_reserve($1, $2, $3, to_timestamp($4::bigint / 1000.0), \
               $5::bigint * interval '1 millisecond', $6::uuid[], $7::text[]::ledger_side[], \
               $8::bigint[]) AS fresh";
    said(connection, sql, values).await
}

/// Moves what `pending` set aside.
///
/// # Errors
/// [`LedgerError::UnknownTransaction`], [`LedgerError::Expired`], [`LedgerError::AlreadySettled`] if
/// another cause settled it, [`LedgerError::Frozen`].
pub async fn post_pending(
    connection: &impl ConnectionTrait,
    pending: TxId,
    cause: &Cause,
) -> Result<bool, LedgerError> {
    let sql =
        "SELECT ledger_post_pending($1, $2, $3, to_timestamp($4::bigint / 1000.0), $5) AS fresh";
    said(connection, sql, because(cause, pending)).await
}

/// Gives back what `pending` set aside. Works for frozen accounts and after expiry too.
///
/// # Errors
/// [`LedgerError::UnknownTransaction`], [`LedgerError::AlreadySettled`] if another cause settled it.
pub async fn void_pending(
    connection: &impl ConnectionTrait,
    pending: TxId,
    cause: &Cause,
) -> Result<bool, LedgerError> {
    let sql =
        "SELECT ledger_void_pending($1, $2, $3, to_timestamp($4::bigint / 1000.0), $5) AS fresh";
    said(connection, sql, because(cause, pending)).await
}

/// Voids up to `limit` pending transactions whose time is over, and says which. Any number may do so at
/// once; who asks until the answer is empty has left none to itself.
///
/// # Errors
/// When the database fails.
pub async fn expire_due(
    connection: &impl ConnectionTrait,
    limit: u16,
) -> Result<Vec<TxId>, LedgerError> {
    let sql = "SELECT ledger_expire($1::integer) AS id";
    let statement =
        Statement::from_sql_and_values(DbBackend::Postgres, sql, [i32::from(limit).into()]);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| Ok(TxId::from(row.try_get::<uuid::Uuid>("", "id")?)))
        .collect()
}

/// Books the opposite of what `tx` booked, because of `source_ref`. A transaction is reversed at most
/// once, and a reversal never.
///
/// # Errors
/// [`LedgerError::UnknownTransaction`] if nothing is booked under `tx`, [`LedgerError::AlreadySettled`]
/// if another cause reversed it, [`LedgerError::NotReversible`], [`LedgerError::InsufficientFunds`] if
/// the money is no longer there, [`LedgerError::Frozen`].
pub async fn reverse(
    connection: &impl ConnectionTrait,
    tx: TxId,
    source_ref: impl Into<String> + Send,
    effective_at: EpochMs,
) -> Result<bool, LedgerError> {
    let cause = Cause {
        kind: TxKind::Reversal,
        source_ref: source_ref.into(),
        effective_at,
    };
    let sql = "SELECT ledger_reverse($1, $2, $3, to_timestamp($4::bigint / 1000.0), $5) AS fresh";
    said(connection, sql, because(&cause, tx)).await
}

fn because(cause: &Cause, other: TxId) -> Vec<Value> {
    vec![
        cause.id().as_uuid().into(),
        cause.kind.as_str().into(),
        cause.source_ref.clone().into(),
        millis(cause.effective_at).into(),
        other.as_uuid().into(),
    ]
}

/// The `fresh` that `sql` answers.
pub(crate) async fn said(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: Vec<Value>,
) -> Result<bool, LedgerError> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = connection.query_one_raw(statement).await?;
    row.map_or(Ok(false), |row| Ok(row.try_get("", "fresh")?))
}
