//! The trail of a transaction: what it booked, what it settles or reverses, what caused it, and its seal. That of a payout
//! begins with the earnings that it pays.

mod payout;

pub use payout::{Earning, PayoutChange, PayoutRecord};

use crate::error::LedgerError;
use crate::posting::TxKind;
use crate::values::{texts, uuids};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};
use uuid::Uuid;

/// What is known about an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    /// The VAUs among what caused it.
    pub vaus: Vec<Vau>,
    /// The payout, if it is the trail of one.
    pub payout: Option<PayoutRecord>,
    /// The distributions that gave what the payout pays.
    pub earnings: Vec<Earning>,
    /// The transactions, in the order of their numbers.
    pub steps: Vec<Step>,
}

/// One transaction of a trail. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The transaction.
    pub id: Uuid,
    /// What it is for.
    pub kind: String,
    /// What caused it.
    pub source_ref: String,
    /// `posted`, `pending`, `post_pending` or `void_pending`.
    pub phase: String,
    /// The pending transaction that it settles.
    pub settles: Option<Uuid>,
    /// The transaction that it reverses.
    pub reverses: Option<Uuid>,
    /// When it took effect.
    pub effective_at: String,
    /// When it was recorded.
    pub recorded_at: String,
    /// When it could no longer be posted, if pending.
    pub expires_at: Option<String>,
    /// What it books, or reserves.
    pub lines: Vec<Line>,
    /// Its place in the hash chain; `None` until the sealer has come to it.
    pub seal: Option<Seal>,
}

/// One line of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The kind of account.
    pub account: String,
    /// The user that it belongs to.
    pub owner: Option<Uuid>,
    /// The pool or influencer that it is about.
    pub subject: Option<Uuid>,
    /// Which part, of an account that is split.
    pub stripe: i16,
    /// `debit` or `credit`.
    pub side: String,
    /// Base units.
    pub amount: i64,
}

/// A seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// The place in the chain, from 1.
    pub seq: i64,
    /// The hash of the seal before, hexadecimal.
    pub prev_hash: String,
    /// Its own, hexadecimal.
    pub hash: String,
    /// Whether it is over what the rows say and links to the one before.
    pub holds: bool,
}

/// A VAU that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vau {
    /// Its id.
    pub vau_id: String,
    /// SHA-256 over what was signed, hexadecimal.
    pub fingerprint: String,
    /// The user that it was credited to.
    pub user: Uuid,
    /// The wallet that it names.
    pub wallet_address: String,
    /// The device that signed it.
    pub device_id: String,
    /// Where attention was given.
    pub site_id: String,
    /// When the edge accepted it, RFC 3339.
    pub accepted_at: String,
    /// The device's trust score then.
    pub trust_score: i16,
    /// What it earned, base units.
    pub earned: i64,
    /// The segment it came in.
    pub segment_id: Uuid,
    /// The transaction that credited it; `None` when it earned nothing.
    pub transaction_id: Option<Uuid>,
}

/// How times are told.
const RFC3339: &str = r#"'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"#;

/// The trail of `id`: a transaction's id, or what caused transactions, such as the id of a VAU or of a payout. Empty when
/// nothing is known about it.
///
/// # Errors
/// When the database fails.
pub async fn trail(connection: &impl ConnectionTrait, id: &str) -> Result<Trail, LedgerError> {
    let kinds = texts(TxKind::ALL.iter().map(|kind| kind.as_str().to_owned()));
    let parsed = Uuid::try_parse(id).ok();
    let own = parsed.unwrap_or_default();
    // An id may be written in several ways; in causes it is written in one.
    let written = parsed.map(|id| id.to_string());
    let sources = texts(std::iter::once(id.to_owned()).chain(written));
    let payout = payout::find(connection, own).await?;
    let earnings = match payout {
        Some(_) => payout::earnings(connection, own).await?,
        None => Vec::new(),
    };
    let gave = uuids(earnings.iter().flat_map(Earning::transactions));
    let sql = format!(
        "WITH RECURSIVE trail AS ( \
             SELECT id FROM ledger_tx WHERE id = $1 OR id = ANY ($4::uuid[]) \
             UNION \
             SELECT id FROM ledger_tx WHERE kind = ANY ($2::text[]) AND source_ref = ANY ($3::text[]) \
             UNION \
             SELECT l.id FROM trail r, LATERAL ( \
                 SELECT id FROM ledger_tx WHERE pending_id = r.id \
                 UNION ALL SELECT id FROM ledger_tx WHERE reverses = r.id \
                 UNION ALL SELECT unnest(array[pending_id, reverses]) FROM ledger_tx WHERE id = r.id \
             ) l WHERE l.id IS NOT NULL \
         ) \
         SELECT t.id, t.kind, t.source_ref, t.phase, t.pending_id, t.reverses, \
             to_char(t.effective_at AT TIME ZONE 'UTC', {RFC3339}) AS effective_at, \
             to_char(t.recorded_at AT TIME ZONE 'UTC', {RFC3339}) AS recorded_at, \
             to_char(t.expires_at AT TIME ZONE 'UTC', {RFC3339}) AS expires_at, \
             s.seq AS seal, encode(s.prev_hash, 'hex') AS prev_hash, encode(s.hash, 'hex') AS hash, \
             s.hash = sha256(s.prev_hash || ledger_bytes(t.id)) AND s.prev_hash = coalesce( \
                 (SELECT b.hash FROM ledger_seal b WHERE b.seq = s.seq - 1), \
                 sha256('twist-ledger-v1')) AS holds \
         FROM trail JOIN ledger_tx t USING (id) LEFT JOIN ledger_seal s ON s.tx_id = t.id \
         ORDER BY t.seq"
    );
    let rows = rows(connection, &sql, vec![own.into(), kinds, sources, gave]).await?;
    let mut steps = rows.iter().map(step).collect::<Result<Vec<_>, _>>()?;
    for step in &mut steps {
        step.lines = lines(connection, step.id).await?;
    }
    let vaus = vaus(connection, id, &steps).await?;
    Ok(Trail {
        vaus,
        payout,
        earnings,
        steps,
    })
}

fn step(row: &QueryResult) -> Result<Step, DbErr> {
    let seal = match row.try_get("", "seal")? {
        None => None,
        Some(seq) => Some(Seal {
            seq,
            prev_hash: row.try_get("", "prev_hash")?,
            hash: row.try_get("", "hash")?,
            holds: row.try_get("", "holds")?,
        }),
    };
    Ok(Step {
        id: row.try_get("", "id")?,
        kind: row.try_get("", "kind")?,
        source_ref: row.try_get("", "source_ref")?,
        phase: row.try_get("", "phase")?,
        settles: row.try_get("", "pending_id")?,
        reverses: row.try_get("", "reverses")?,
        effective_at: row.try_get("", "effective_at")?,
        recorded_at: row.try_get("", "recorded_at")?,
        expires_at: row.try_get("", "expires_at")?,
        lines: Vec::new(),
        seal,
    })
}

async fn lines(connection: &impl ConnectionTrait, tx: Uuid) -> Result<Vec<Line>, DbErr> {
    let sql = "SELECT a.kind, a.owner, a.subject, a.stripe, l.side::text AS side, l.amount \
               FROM ( \
                   SELECT ordinal, account_id, side, amount FROM ledger_entry WHERE tx_id = $1 \
                   UNION ALL \
                   SELECT ordinal, account_id, side, amount FROM ledger_pending_entry WHERE tx_id = $1 \
               ) l JOIN ledger_account a ON a.id = l.account_id ORDER BY l.ordinal";
    let read = |row: &QueryResult| {
        Ok(Line {
            account: row.try_get("", "kind")?,
            owner: row.try_get("", "owner")?,
            subject: row.try_get("", "subject")?,
            stripe: row.try_get("", "stripe")?,
            side: row.try_get("", "side")?,
            amount: row.try_get("", "amount")?,
        })
    };
    let rows = rows(connection, sql, vec![tx.into()]).await?;
    rows.iter().map(read).collect()
}

async fn vaus(
    connection: &impl ConnectionTrait,
    id: &str,
    steps: &[Step],
) -> Result<Vec<Vau>, DbErr> {
    let sql = format!(
        "SELECT vau_id, encode(fingerprint, 'hex') AS fingerprint, user_id, wallet_address, device_id, \
             site_id, to_char(accepted_at AT TIME ZONE 'UTC', {RFC3339}) AS accepted_at, trust_score, \
             earned, segment_id, transaction_id \
         FROM vaus WHERE vau_id = $1 OR transaction_id = ANY ($2::uuid[]) ORDER BY seq"
    );
    let read = |row: &QueryResult| {
        Ok(Vau {
            vau_id: row.try_get("", "vau_id")?,
            fingerprint: row.try_get("", "fingerprint")?,
            user: row.try_get("", "user_id")?,
            wallet_address: row.try_get("", "wallet_address")?,
            device_id: row.try_get("", "device_id")?,
            site_id: row.try_get("", "site_id")?,
            accepted_at: row.try_get("", "accepted_at")?,
            trust_score: row.try_get("", "trust_score")?,
            earned: row.try_get("", "earned")?,
            segment_id: row.try_get("", "segment_id")?,
            transaction_id: row.try_get("", "transaction_id")?,
        })
    };
    let values = vec![id.into(), uuids(steps.iter().map(|step| step.id))];
    let rows = rows(connection, &sql, values).await?;
    rows.iter().map(read).collect()
}

async fn rows(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    connection
        .query_all_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            sql,
            values,
        ))
        .await
}
