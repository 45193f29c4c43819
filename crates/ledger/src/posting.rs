//! Transactions and how they get into the ledger.

pub use crate::kind::TxKind;

use crate::account::{Account, Side};
use crate::error::LedgerError;
use crate::values::{bigints, texts, uuids};
use domain::{Amount, EpochMs};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The namespace of transaction ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x8d1c_51b2_3f0e_5c5e_9a77_0d6a_41c6_0002);

/// The id of a transaction: a UUID of version 5 over its kind and what caused it, so that whoever
/// posts for the same cause, however often, means the same transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TxId(Uuid);

impl TxId {
    /// The id of the transaction of `kind` that `source_ref` causes.
    pub fn of(kind: TxKind, source_ref: &str) -> Self {
        let name = format!("{}|{source_ref}", kind.as_str());
        Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }

    /// As stored.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for TxId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

/// One line of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// The account.
    pub account: Account,
    /// The side of it.
    pub side: Side,
    /// How much.
    pub amount: Amount,
}

impl Leg {
    /// Debits `account` with `amount`.
    pub const fn debit(account: Account, amount: Amount) -> Self {
        Self {
            account,
            side: Side::Debit,
            amount,
        }
    }

    /// Credits `account` with `amount`.
    pub const fn credit(account: Account, amount: Amount) -> Self {
        Self {
            account,
            side: Side::Credit,
            amount,
        }
    }
}

/// A transaction to be posted. Its debits equal its credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    kind: TxKind,
    source_ref: String,
    effective_at: EpochMs,
    legs: Vec<Leg>,
}

impl Posting {
    /// Posts `legs`, in this order, because of `source_ref`.
    ///
    /// # Errors
    /// [`LedgerError::Unbalanced`] when debits and credits differ, there are none, an amount is zero, or
    /// an account is on both sides: none of these would say anything.
    pub fn new(
        kind: TxKind,
        source_ref: impl Into<String>,
        effective_at: EpochMs,
        legs: Vec<Leg>,
    ) -> Result<Self, LedgerError> {
        // A slice has fewer than 2^64 items of less than 2^63 each.
        let sum = |side| {
            legs.iter()
                .filter(|leg| leg.side == side)
                .map(|leg| u128::from(leg.amount.units()))
                .sum::<u128>()
        };
        let on = |side| -> BTreeSet<Account> {
            let legs = legs.iter().filter(|leg| leg.side == side);
            legs.map(|leg| leg.account).collect()
        };
        let on_both_sides = !on(Side::Debit).is_disjoint(&on(Side::Credit));
        if legs.is_empty()
            || on_both_sides
            || legs.iter().any(|leg| leg.amount.is_zero())
            || sum(Side::Debit) != sum(Side::Credit)
        {
            return Err(LedgerError::Unbalanced);
        }
        Ok(Self {
            kind,
            source_ref: source_ref.into(),
            effective_at,
            legs,
        })
    }

    /// Debits `debit` and credits `credit` with `amount`, because of `source_ref`.
    ///
    /// # Errors
    /// [`LedgerError::Unbalanced`] when the amount is zero or both accounts are the same.
    pub fn transfer(
        kind: TxKind,
        source_ref: impl Into<String>,
        effective_at: EpochMs,
        (debit, credit): (Account, Account),
        amount: Amount,
    ) -> Result<Self, LedgerError> {
        let legs = vec![Leg::debit(debit, amount), Leg::credit(credit, amount)];
        Self::new(kind, source_ref, effective_at, legs)
    }

    /// The id that this posting will have.
    pub fn id(&self) -> TxId {
        TxId::of(self.kind, &self.source_ref)
    }

    /// What it is for.
    pub const fn kind(&self) -> TxKind {
        self.kind
    }

    /// What caused it.
    pub fn source_ref(&self) -> &str {
        &self.source_ref
    }

    /// When it takes effect.
    pub const fn effective_at(&self) -> EpochMs {
        self.effective_at
    }

    /// Its lines, in the order they are stored in.
    pub fn legs(&self) -> &[Leg] {
        &self.legs
    }

    /// The accounts it touches, in the order of its legs.
    pub fn accounts(&self) -> impl Iterator<Item = Account> + '_ {
        self.legs.iter().map(|leg| leg.account)
    }
}

const POST: &str = "SELECT id FROM ledger_post($1::uuid[], $2::text[], $3::text[], \
    (SELECT array_agg(to_timestamp(ms / 1000.0) ORDER BY place) \
     FROM unnest($4::bigint[]) WITH ORDINALITY AS t (ms, place)), \
    $5::uuid[], $6::uuid[], $7::text[]::ledger_side[], $8::bigint[]) AS id";

const TRANSFER: &str = "SELECT ledger_transfer($1, $2, $3, $4, $5, $6, $7) AS fresh";

/// Posts all of `postings` or none, in the database transaction of `connection`, and returns the ids
/// that were not posted before. The accounts must be open.
pub async fn post(
    connection: &impl ConnectionTrait,
    postings: &[Posting],
) -> Result<Vec<TxId>, LedgerError> {
    match postings {
        [] => return Ok(Vec::new()),
        [one] => {
            if let [debit, credit] = &*one.legs
                && (debit.side, credit.side) == (Side::Debit, Side::Credit)
            {
                return transfer(connection, one, debit, credit).await;
            }
        }
        _ => {}
    }
    let lines = || {
        postings
            .iter()
            .flat_map(|p| p.legs.iter().map(move |leg| (p, leg)))
    };
    let values = vec![
        uuids(postings.iter().map(|p| p.id().as_uuid())),
        texts(postings.iter().map(|p| p.kind.as_str().to_owned())),
        texts(postings.iter().map(|p| p.source_ref.clone())),
        bigints(postings.iter().map(|p| millis(p.effective_at))),
        uuids(lines().map(|(p, _)| p.id().as_uuid())),
        uuids(lines().map(|(_, leg)| leg.account.id().as_uuid())),
        texts(lines().map(|(_, leg)| leg.side.as_str().to_owned())),
        bigints(lines().map(|(_, leg)| leg.amount.to_i64())),
    ];
    let rows = connection
        .query_all_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            POST,
            values,
        ))
        .await?;
    rows.iter()
        .map(|row| Ok(TxId(row.try_get("", "id")?)))
        .collect()
}

/// [`post`] of one posting with these two legs, as nearly all are: values in place of lists cost the database less.
async fn transfer(
    connection: &impl ConnectionTrait,
    posting: &Posting,
    debit: &Leg,
    credit: &Leg,
) -> Result<Vec<TxId>, LedgerError> {
    let id = posting.id();
    let values = [
        id.as_uuid().into(),
        posting.kind.as_str().into(),
        posting.source_ref.as_str().into(),
        millis(posting.effective_at).into(),
        debit.account.id().as_uuid().into(),
        credit.account.id().as_uuid().into(),
        debit.amount.to_i64().into(),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, TRANSFER, values);
    let row = connection.query_one_raw(statement).await?;
    let fresh = row.map_or(Ok(false), |row| row.try_get("", "fresh"))?;
    Ok(if fresh { vec![id] } else { Vec::new() })
}

/// As the database takes it; below 2^53, so the conversion always succeeds.
pub(crate) fn millis(at: EpochMs) -> i64 {
    i64::try_from(at.get()).unwrap_or(i64::MAX)
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

    #[test]
    fn what_does_not_balance_cannot_be_posted() {
        let user = |n| Account::UserAvailable(Uuid::from_u128(n));
        let pay = |n| Amount::from_units(n).unwrap();
        let posting =
            |legs| Posting::new(TxKind::RewardsClaimed, "x", EpochMs::new(0).unwrap(), legs);
        let whole = vec![
            Leg::debit(user(1), pay(10)),
            Leg::credit(user(2), pay(7)),
            Leg::credit(user(3), pay(3)),
        ];
        assert!(posting(whole.clone()).is_ok());
        assert!(posting(Vec::new()).is_err());
        assert!(posting(whole[..2].to_vec()).is_err());
        assert!(posting(whole[1..].to_vec()).is_err());
        let and = |more: [Leg; 2]| posting([whole.clone(), more.to_vec()].concat());
        assert!(and([Leg::debit(user(4), pay(1)), Leg::credit(user(5), pay(1))]).is_ok());
        assert!(and([Leg::debit(user(2), pay(1)), Leg::credit(user(5), pay(1))]).is_err());
        assert!(and([Leg::debit(user(4), pay(0)), Leg::credit(user(5), pay(0))]).is_err());
    }
}
