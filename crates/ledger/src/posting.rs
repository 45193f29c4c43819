//! Transactions and how they get into the ledger.

use crate::account::{Account, bigints, texts, uuids};
use crate::error::LedgerError;
use domain::{Amount, EpochMs};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use uuid::Uuid;

/// The namespace of transaction ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x8d1c_51b2_3f0e_5c5e_9a77_0d6a_41c6_0002);

/// The id of a transaction: a UUID of version 5 over its kind and what caused it, so that whoever
/// posts for the same cause, however often, means the same transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TxId(Uuid);

impl TxId {
    /// As stored.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TxKind {
    /// The reward of one VAU.
    VauReward,
}

impl TxKind {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VauReward => "vau_reward",
        }
    }
}

/// A transaction to be posted: one amount from one account to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    kind: TxKind,
    source_ref: String,
    effective_at: EpochMs,
    debit: Account,
    credit: Account,
    amount: Amount,
}

impl Posting {
    /// Debits `debit` and credits `credit` with `amount`, because of `source_ref`.
    ///
    /// # Errors
    /// [`LedgerError::Unbalanced`] when the amount is zero or both accounts are the same: neither
    /// would say anything.
    pub fn transfer(
        kind: TxKind,
        source_ref: impl Into<String>,
        effective_at: EpochMs,
        (debit, credit): (Account, Account),
        amount: Amount,
    ) -> Result<Self, LedgerError> {
        if amount.is_zero() || debit == credit {
            return Err(LedgerError::Unbalanced);
        }
        Ok(Self {
            kind,
            source_ref: source_ref.into(),
            effective_at,
            debit,
            credit,
            amount,
        })
    }

    /// The id that this posting will have.
    pub fn id(&self) -> TxId {
        let name = format!("{}|{}", self.kind.as_str(), self.source_ref);
        TxId(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }

    /// The accounts it touches.
    pub const fn accounts(&self) -> [Account; 2] {
        [self.debit, self.credit]
    }
}

/// Posts all of `postings` or none, in the database transaction of `connection`, and returns the ids
/// that were not posted before. The accounts must be open.
pub async fn post(
    connection: &impl ConnectionTrait,
    postings: &[Posting],
) -> Result<Vec<TxId>, LedgerError> {
    if postings.is_empty() {
        return Ok(Vec::new());
    }
    let lines = || {
        postings
            .iter()
            .flat_map(|p| [(p, p.debit, "debit"), (p, p.credit, "credit")])
    };
    // Below 2^53, so the conversion always succeeds.
    let millis = |at: EpochMs| i64::try_from(at.get()).unwrap_or(i64::MAX);
    let values = vec![
        uuids(postings.iter().map(|p| p.id().as_uuid())),
        texts(postings.iter().map(|p| p.kind.as_str().to_owned())),
        texts(postings.iter().map(|p| p.source_ref.clone())),
        bigints(postings.iter().map(|p| millis(p.effective_at))),
        uuids(lines().map(|(p, ..)| p.id().as_uuid())),
        uuids(lines().map(|(_, account, _)| account.id().as_uuid())),
        texts(lines().map(|(.., side)| side.to_owned())),
        bigints(lines().map(|(p, ..)| p.amount.to_i64())),
    ];
    let sql = "SELECT id FROM ledger_post($1::uuid[], $2::text[], $3::text[], \
               (SELECT array_agg(to_timestamp(ms / 1000.0) ORDER BY place) \
                FROM unnest($4::bigint[]) WITH ORDINALITY AS t (ms, place)), \
               $5::uuid[], $6::uuid[], $7::text[]::ledger_side[], $8::bigint[]) AS id";
    let rows = connection
        .query_all_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            sql,
            values,
        ))
        .await?;
    rows.iter()
        .map(|row| Ok(TxId(row.try_get("", "id")?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Stripe;

    #[test]
    fn nothing_cannot_be_posted() {
        let accounts = (
            Account::PlatformRewards(Stripe::of(Uuid::from_u128(3))),
            Account::UserAvailable(Uuid::from_u128(1)),
        );
        let at = EpochMs::new(0).unwrap();
        let posting = |pair, amount| Posting::transfer(TxKind::VauReward, "x", at, pair, amount);
        assert!(posting(accounts, Amount::ZERO).is_err());
        assert!(posting((accounts.1, accounts.1), Amount::from_twist(1)).is_err());
        assert!(posting(accounts, Amount::from_twist(1)).is_ok());
    }
}
