//! What can keep a posting from being made.

use crate::account::AccountId;
use sea_orm::{DbErr, RuntimeErr};

/// Why the ledger refused.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// An account would fall below its floor.
    #[error("not enough funds")]
    InsufficientFunds,
    /// Money would leave a frozen account.
    #[error("an account is frozen")]
    Frozen,
    /// The same id or the same cause was posted before with other content.
    #[error("this transaction was posted before with other content")]
    Conflict,
    /// An account was not opened.
    #[error("an account does not exist")]
    UnknownAccount,
    /// Debits and credits differ, an entry is not above zero, or there is none.
    #[error("the transaction does not balance")]
    Unbalanced,
    /// There is no such transaction to settle or reverse.
    #[error("there is no such transaction")]
    UnknownTransaction,
    /// It is too late to post what was set aside.
    #[error("the pending transaction has expired")]
    Expired,
    /// Another transaction settled or reversed it.
    #[error("the transaction was settled or reversed before")]
    AlreadySettled,
    /// A reversal cannot be reversed.
    #[error("a reversal is not reversed")]
    NotReversible,
    /// An account that may not is below zero: the books are wrong.
    #[error("account {0:?} is below zero")]
    BelowZero(AccountId),
    /// The database failed.
    #[error(transparent)]
    Database(DbErr),
}

impl From<DbErr> for LedgerError {
    fn from(error: DbErr) -> Self {
        let Some((state, constraint)) = database_error(&error) else {
            return Self::Database(error);
        };
        match (state.as_str(), constraint.as_deref()) {
            ("TW001", _) => Self::UnknownAccount,
            ("TW002", _) | ("23505", Some("ledger_tx_kind_source_ref_key")) => Self::Conflict,
            ("TW003" | "TW005", _) => Self::Unbalanced,
            ("TW004", _) => Self::Frozen,
            ("TW006", _) => Self::UnknownTransaction,
            ("TW007", _) => Self::Expired,
            ("TW008", _) => Self::AlreadySettled,
            ("TW009", _) => Self::NotReversible,
            ("23514", Some("ledger_account_floor")) => Self::InsufficientFunds,
            _ => Self::Database(error),
        }
    }
}

impl LedgerError {
    /// Whether the database transaction may be run again from its start: see [`is_contention`].
    pub fn is_contention(&self) -> bool {
        matches!(self, Self::Database(error) if is_contention(error))
    }
}

/// Whether a database transaction that failed with `error` may be run again from its start: it met
/// another and one of the two had to give way.
pub fn is_contention(error: &DbErr) -> bool {
    database_error(error).is_some_and(|(state, _)| state == "40001" || state == "40P01")
}

/// Whether `error` says that the statement waited for a lock, or worked, for longer than it may.
pub fn is_timeout(error: &DbErr) -> bool {
    database_error(error).is_some_and(|(state, _)| state == "55P03" || state == "57014")
}

/// SQLSTATE and constraint of an error that the database itself reported.
fn database_error(error: &DbErr) -> Option<(String, Option<String>)> {
    let (DbErr::Exec(RuntimeErr::SqlxError(inner)) | DbErr::Query(RuntimeErr::SqlxError(inner))) =
        error
    else {
        return None;
    };
    let reported = inner.as_database_error()?;
    Some((
        reported.code()?.into_owned(),
        reported.constraint().map(str::to_owned),
    ))
}
