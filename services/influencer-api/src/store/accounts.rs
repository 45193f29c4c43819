//! Who a user is.

use crate::error::from_ledger;
use domain::{Amount, WalletAddress};
use ledger::account::{Account, BALANCE_SQL, balance_of};
use sea_orm::DbErr;
use service::ApiError;
use service::reads::Reads;
use time::OffsetDateTime;
use uuid::Uuid;

/// A user with the wallets that are linked to it.
#[derive(Debug, Clone)]
pub struct User {
    /// What the user may do.
    pub roles: Vec<String>,
    /// When the user signed in first.
    pub created_at: OffsetDateTime,
    /// Linked wallets, oldest first.
    pub wallets: Vec<WalletAddress>,
}

/// The user `uid`, if there is one.
pub async fn find(reads: &Reads, uid: Uuid) -> Result<Option<User>, DbErr> {
    let sql = "SELECT u.roles, u.created_at, \
                   array(SELECT address FROM wallets w WHERE w.user_id = u.id ORDER BY linked_at, address) \
                   AS wallets \
               FROM users u WHERE u.id = $1";
    let Some(row) = reads.one(sql, &[uid.into()]).await? else {
        return Ok(None);
    };
    let wallets: Vec<String> = row.get("wallets")?;
    Ok(Some(User {
        roles: row.get("roles")?,
        created_at: row.get("created_at")?,
        wallets: wallets
            .iter()
            .map(|text| WalletAddress::try_from(text.as_str()))
            .collect::<Result<_, _>>()
            .map_err(|error| DbErr::Type(error.to_string()))?,
    }))
}

/// What a user can use of the ledger's money.
pub async fn available(reads: &Reads, uid: Uuid) -> Result<Amount, ApiError> {
    let account = Account::UserAvailable(uid);
    let row = reads
        .one(BALANCE_SQL, &[account.id().as_uuid().into()])
        .await?;
    let units: Option<i64> = row.map(|row| row.get("balance")).transpose()?;
    balance_of(account, units).map_err(from_ledger)
}
