//! The chart of accounts, as far as it is in use. An account's id follows from what it is, so that
//! nobody has to look one up before posting to it.

use crate::error::LedgerError;
use domain::Amount;
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use uuid::Uuid;

/// The namespace of account ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x8d1c_51b2_3f0e_5c5e_9a77_0d6a_41c6_0001);

/// Accounts that many postings share are split this many ways, so that they do not queue for one row.
pub const STRIPES: u8 = 8;

/// An account of the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// Liability: what a user can stake or be paid. Never below zero.
    UserAvailable(Uuid),
    /// Expense: what the platform has given out as rewards, by stripe.
    PlatformRewards(Stripe),
}

/// One of the parts of a shared account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stripe(u8);

impl Stripe {
    /// The stripe that `key` falls into; the same for the same key.
    pub const fn of(key: Uuid) -> Self {
        // UUIDs of version 7 share their leading bytes; the last one is random in 4, 5 and 7.
        let [.., last] = *key.as_bytes();
        Self(last % STRIPES)
    }
}

/// The id of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(Uuid);

impl AccountId {
    /// As stored.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl Account {
    /// The id, a UUID of version 5 over kind, owner and stripe.
    pub fn id(self) -> AccountId {
        let name = match self {
            Self::UserAvailable(user) => format!("{}|{user}|0", self.kind()),
            Self::PlatformRewards(stripe) => format!("{}||{}", self.kind(), stripe.0),
        };
        AccountId(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }

    /// The name in the chart of accounts.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::UserAvailable(_) => "user:available",
            Self::PlatformRewards(_) => "platform:rewards",
        }
    }

    const fn normal_side(self) -> &'static str {
        match self {
            Self::UserAvailable(_) => "credit",
            Self::PlatformRewards(_) => "debit",
        }
    }

    const fn owner(self) -> Option<Uuid> {
        match self {
            Self::UserAvailable(user) => Some(user),
            Self::PlatformRewards(_) => None,
        }
    }

    const fn stripe(self) -> u8 {
        match self {
            Self::UserAvailable(_) => 0,
            Self::PlatformRewards(stripe) => stripe.0,
        }
    }

    /// The lowest balance the account may have, in base units; `None` for no limit.
    const fn floor(self) -> Option<i64> {
        match self {
            Self::UserAvailable(_) => Some(0),
            Self::PlatformRewards(_) => None,
        }
    }
}

/// Opens the accounts that do not exist yet.
pub async fn open(
    connection: &impl ConnectionTrait,
    accounts: &[Account],
) -> Result<(), LedgerError> {
    let mut unique = accounts.to_vec();
    unique.sort_unstable_by_key(|account| account.id());
    unique.dedup();
    // The driver cannot send an array with nulls in it: they travel as empty texts.
    let nullable = |value: Option<String>| value.unwrap_or_default();
    let values = vec![
        uuids(unique.iter().map(|a| a.id().as_uuid())),
        texts(unique.iter().map(|a| a.kind().to_owned())),
        texts(
            unique
                .iter()
                .map(|a| nullable(a.owner().map(|id| id.to_string()))),
        ),
        bigints(unique.iter().map(|a| a.stripe().into())),
        texts(unique.iter().map(|a| a.normal_side().to_owned())),
        texts(
            unique
                .iter()
                .map(|a| nullable(a.floor().map(|units| units.to_string()))),
        ),
    ];
    let sql = "SELECT ledger_open(array_agg(a.id), array_agg(a.kind), \
                   array_agg(nullif(a.owner, '')::uuid), array_agg(a.stripe::smallint), \
                   array_agg(a.side::ledger_side), array_agg(nullif(a.floor, '')::bigint)) \
               FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[]) \
                   AS a (id, kind, owner, stripe, side, floor)";
    connection
        .query_one_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            sql,
            values,
        ))
        .await?;
    Ok(())
}

/// The posted balance of an account on its normal side, less what is pending against it. An account
/// that was never opened holds nothing.
pub async fn balance(
    connection: &impl ConnectionTrait,
    account: Account,
) -> Result<Amount, LedgerError> {
    let values = [Value::from(account.id().as_uuid())];
    let row = connection
        .query_one_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            BALANCE_SQL,
            values,
        ))
        .await?;
    let units = row.map(|row| row.try_get("", "balance")).transpose()?;
    balance_of(account, units)
}

/// [`balance`] for whoever queries in another way: `balance`, a `bigint`, of the account with the id `$1`.
pub const BALANCE_SQL: &str = "SELECT (CASE normal_side \
         WHEN 'credit' THEN posted_credits - posted_debits - pending_debits \
         ELSE posted_debits - posted_credits - pending_credits END)::bigint AS balance \
     FROM ledger_account WHERE id = $1";

/// What [`BALANCE_SQL`] says of `account`; no row, no money.
///
/// # Errors
/// [`LedgerError::BelowZero`] if it says what cannot be.
pub fn balance_of(account: Account, units: Option<i64>) -> Result<Amount, LedgerError> {
    Amount::try_from(units.unwrap_or(0)).map_err(|_| LedgerError::BelowZero(account.id()))
}

pub(crate) fn uuids(items: impl Iterator<Item = Uuid>) -> Value {
    Value::Array(
        sea_orm::sea_query::ArrayType::Uuid,
        Some(Box::new(items.map(Value::from).collect())),
    )
}

pub(crate) fn texts(items: impl Iterator<Item = String>) -> Value {
    Value::Array(
        sea_orm::sea_query::ArrayType::String,
        Some(Box::new(items.map(Value::from).collect())),
    )
}

pub(crate) fn bigints(items: impl Iterator<Item = i64>) -> Value {
    Value::Array(
        sea_orm::sea_query::ArrayType::BigInt,
        Some(Box::new(items.map(Value::from).collect())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_accounts_share_an_id() {
        let users = (1..50u128).map(|n| Account::UserAvailable(Uuid::from_u128(n)));
        let stripes = (0..STRIPES).map(|n| Account::PlatformRewards(Stripe(n)));
        let all: Vec<_> = users.chain(stripes).collect();
        assert_eq!(
            all.iter().map(|a| a.id()).collect::<BTreeSet<_>>().len(),
            all.len()
        );
    }

    #[test]
    fn an_accounts_id_never_changes() {
        let account = Account::UserAvailable(Uuid::from_u128(1));
        assert_eq!(
            account.id().as_uuid().to_string(),
            "0bb6b947-f0d4-5468-bf71-21f4e470e96b"
        );
    }
}
