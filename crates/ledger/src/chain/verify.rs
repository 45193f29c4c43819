//! Recomputes the chain from the rows.

use super::GENESIS;
use super::layout::{Line, Sealed};
use crate::account::{Side, id_of};
use crate::error::LedgerError;
use crate::values::uuids;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Seals that are read at a time.
const PAGE: i64 = 1_000;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How many seals hold, from the first on.
    pub seals: u64,
    /// The hash of the last that holds. Whoever noted an earlier one can tell whether the chain was
    /// written anew.
    pub head: [u8; 32],
    /// The first that does not hold.
    pub broken: Option<Broken>,
}

/// A place where the books are not what they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    /// The place in the chain, from 1.
    pub seq: u64,
    /// The transaction that is sealed there.
    pub tx: Uuid,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What can be wrong with a seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A seal before this one is missing.
    Gap,
    /// It does not name the hash of the one before.
    Link,
    /// Its hash is not that of the transaction and its entries.
    Content,
    /// An account of the transaction is not what its id says: kind, owner, subject or stripe were changed.
    Account,
    /// Its hash is not the one that was noted when the chain was last proved up to here.
    Rewritten,
}

/// How far the chain was proved before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// The seals that held.
    pub seals: u64,
    /// The hash of the last of them.
    pub head: [u8; 32],
}

impl Proof {
    /// Nothing was proved.
    pub fn none() -> Self {
        Self {
            seals: 0,
            head: Sha256::digest(GENESIS).into(),
        }
    }
}

impl Verdict {
    /// What is proved now.
    pub const fn proof(&self) -> Proof {
        Proof {
            seals: self.seals,
            head: self.head,
        }
    }
}

/// A seal as stored.
struct Seal {
    seq: i64,
    tx: Uuid,
    prev_hash: Vec<u8>,
    hash: Vec<u8>,
}

/// Recomputes every seal from the transactions and entries, as `docs/reference/ledger.md` lays it down.
///
/// # Errors
/// When the database fails.
pub async fn verify(connection: &impl ConnectionTrait) -> Result<Verdict, LedgerError> {
    verify_after(connection, Proof::none()).await
}

/// [`verify`] of what came after `proof`, whose last seal must still be what it was.
///
/// # Errors
/// When the database fails.
pub async fn verify_after(
    connection: &impl ConnectionTrait,
    proof: Proof,
) -> Result<Verdict, LedgerError> {
    let mut verdict = Verdict {
        seals: proof.seals,
        head: proof.head,
        broken: changed(connection, proof).await?,
    };
    if verdict.broken.is_some() {
        return Ok(verdict);
    }
    let mut after = i64::try_from(proof.seals).unwrap_or(i64::MAX);
    loop {
        let page = page(connection, after).await?;
        let Some(last) = page.last().map(|(seal, _)| seal.seq) else {
            return Ok(verdict);
        };
        let ids: Vec<Uuid> = page.iter().map(|(seal, _)| seal.tx).collect();
        let (mut entries, forged) = entries(connection, &ids).await?;
        for (seal, tx) in page {
            let lines = entries.remove(&seal.tx).unwrap_or_default();
            let expected = tx.map(|tx| {
                Sealed {
                    entries: lines,
                    ..tx
                }
                .hash_after(&verdict.head)
            });
            let next = after.saturating_add(1);
            let flaw = if seal.seq != next {
                Some(Flaw::Gap)
            } else if seal.prev_hash != verdict.head {
                Some(Flaw::Link)
            } else if expected.is_none_or(|hash| seal.hash != hash) {
                Some(Flaw::Content)
            } else if forged.contains(&seal.tx) {
                Some(Flaw::Account)
            } else {
                None
            };
            if let Some(flaw) = flaw {
                verdict.broken = Some(Broken {
                    seq: u64::try_from(next).unwrap_or(0),
                    tx: seal.tx,
                    flaw,
                });
                return Ok(verdict);
            }
            after = seal.seq;
            verdict.seals = verdict.seals.saturating_add(1);
            verdict.head = expected.unwrap_or(verdict.head);
        }
        after = last;
    }
}

/// Whether the last seal of `proof` is no longer there, or another.
async fn changed(connection: &impl ConnectionTrait, proof: Proof) -> Result<Option<Broken>, DbErr> {
    if proof.seals == 0 {
        return Ok(None);
    }
    let seq = i64::try_from(proof.seals).unwrap_or(i64::MAX);
    let sql = "SELECT tx_id, hash FROM ledger_seal WHERE seq = $1";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [seq.into()]);
    let Some(row) = connection.query_one_raw(statement).await? else {
        return Ok(Some(Broken {
            seq: proof.seals,
            tx: Uuid::nil(),
            flaw: Flaw::Gap,
        }));
    };
    let hash: Vec<u8> = row.try_get("", "hash")?;
    let broken = Broken {
        seq: proof.seals,
        tx: row.try_get("", "tx_id")?,
        flaw: Flaw::Rewritten,
    };
    Ok((hash != proof.head).then_some(broken))
}

async fn page(
    connection: &impl ConnectionTrait,
    after: i64,
) -> Result<Vec<(Seal, Option<Sealed>)>, DbErr> {
    let sql = "SELECT s.seq, s.tx_id, s.prev_hash, s.hash, t.kind, t.source_ref, t.phase, t.pending_id, \
                   t.reverses, (extract(epoch FROM t.effective_at) * 1000000)::bigint AS effective_at, \
                   (extract(epoch FROM t.recorded_at) * 1000000)::bigint AS recorded_at, \
                   (extract(epoch FROM t.expires_at) * 1000000)::bigint AS expires_at \
               FROM ledger_seal s LEFT JOIN ledger_tx t ON t.id = s.tx_id \
               WHERE s.seq > $1 ORDER BY s.seq LIMIT $2";
    let statement =
        Statement::from_sql_and_values(DbBackend::Postgres, sql, [after.into(), PAGE.into()]);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(read).collect()
}

fn read(row: &QueryResult) -> Result<(Seal, Option<Sealed>), DbErr> {
    let seal = Seal {
        seq: row.try_get("", "seq")?,
        tx: row.try_get("", "tx_id")?,
        prev_hash: row.try_get("", "prev_hash")?,
        hash: row.try_get("", "hash")?,
    };
    let Some(kind) = row.try_get("", "kind")? else {
        return Ok((seal, None));
    };
    let tx = Sealed {
        id: seal.tx,
        kind,
        source_ref: row.try_get("", "source_ref")?,
        phase: row.try_get("", "phase")?,
        pending_id: row.try_get("", "pending_id")?,
        reverses: row.try_get("", "reverses")?,
        effective_at: row.try_get("", "effective_at")?,
        recorded_at: row.try_get("", "recorded_at")?,
        expires_at: row.try_get("", "expires_at")?,
        entries: Vec::new(),
    };
    Ok((seal, Some(tx)))
}

/// The entries of each transaction, and the transactions with an account that is not what its id says.
async fn entries(
    connection: &impl ConnectionTrait,
    ids: &[Uuid],
) -> Result<(BTreeMap<Uuid, Vec<Line>>, Vec<Uuid>), DbErr> {
    let sql = "SELECT l.tx_id, l.account_id, l.account_version, l.side::text AS side, l.amount, \
                   a.kind, a.owner, a.subject, a.stripe \
               FROM ( \
                   SELECT tx_id, ordinal, account_id, account_version, side, amount \
                   FROM ledger_entry WHERE tx_id = ANY ($1::uuid[]) \
                   UNION ALL \
                   SELECT tx_id, ordinal, account_id, 0, side, amount \
                   FROM ledger_pending_entry WHERE tx_id = ANY ($1::uuid[]) \
               ) l JOIN ledger_account a ON a.id = l.account_id \
               ORDER BY l.tx_id, l.ordinal";
    let values = [uuids(ids.iter().copied())];
    let rows = connection
        .query_all_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            sql,
            values,
        ))
        .await?;
    let mut lines = BTreeMap::<Uuid, Vec<Line>>::new();
    let mut forged = Vec::new();
    for row in &rows {
        let tx: Uuid = row.try_get("", "tx_id")?;
        let side: String = row.try_get("", "side")?;
        let line = Line {
            account: row.try_get("", "account_id")?,
            version: row.try_get("", "account_version")?,
            side: if side == Side::Debit.as_str() {
                Side::Debit
            } else {
                Side::Credit
            },
            amount: row.try_get("", "amount")?,
        };
        let kind: String = row.try_get("", "kind")?;
        let stripe: i16 = row.try_get("", "stripe")?;
        let id = id_of(
            &kind,
            row.try_get("", "owner")?,
            row.try_get("", "subject")?,
            u8::try_from(stripe).unwrap_or(u8::MAX),
        );
        if id.as_uuid() != line.account {
            forged.push(tx);
        }
        lines.entry(tx).or_default().push(line);
    }
    Ok((lines, forged))
}
