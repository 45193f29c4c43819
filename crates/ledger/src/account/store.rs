//! Accounts in the database: opening them, and what they hold.

use crate::account::Account;
use crate::error::LedgerError;
use crate::values::{bigints, texts, uuids};
use domain::Amount;
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};

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
        texts(
            unique
                .iter()
                .map(|a| nullable(a.subject().map(|id| id.to_string()))),
        ),
        bigints(unique.iter().map(|a| a.stripe().into())),
        texts(unique.iter().map(|a| a.normal_side().as_str().to_owned())),
        texts(
            unique
                .iter()
                .map(|a| nullable(a.floor().map(|units| units.to_string()))),
        ),
    ];
    let sql = "SELECT ledger_open(array_agg(a.id), array_agg(a.kind), \
                   array_agg(nullif(a.owner, '')::uuid), array_agg(nullif(a.subject, '')::uuid), \
                   array_agg(a.stripe::smallint), array_agg(a.side::ledger_side), \
                   array_agg(nullif(a.floor, '')::bigint)) \
               FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], \
                           $6::text[], $7::text[]) \
                   AS a (id, kind, owner, subject, stripe, side, floor)";
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
