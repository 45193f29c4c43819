//! Freezing accounts: nothing leaves a frozen one, and what is owed to it still arrives.

use crate::account::AccountId;
use crate::error::LedgerError;
use crate::phase::said;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

/// An order to freeze or release an account, kept for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreezeOrder {
    /// Made by the caller: the same order twice is one.
    pub id: Uuid,
    /// The account.
    pub account: AccountId,
    /// Whether it is frozen from now on.
    pub frozen: bool,
    /// Why; 1 to 500 characters.
    pub reason: String,
    /// Who says so; 1 to 200 characters.
    pub actor: String,
}

/// Carries out `order` and records it, unless that was done before.
///
/// # Errors
/// [`LedgerError::UnknownAccount`], [`LedgerError::Conflict`] if the id is that of another order.
pub async fn set_frozen(
    connection: &impl ConnectionTrait,
    order: &FreezeOrder,
) -> Result<bool, LedgerError> {
    let values = vec![
        order.id.into(),
        order.account.as_uuid().into(),
        order.frozen.into(),
        order.reason.clone().into(),
        order.actor.clone().into(),
    ];
    let sql = "SELECT ledger_set_frozen($1, $2, $3, $4, $5) AS fresh";
    said(connection, sql, values).await
}
