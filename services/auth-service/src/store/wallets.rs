//! The wallets of users.

use super::entity::{users, wallets};
use contracts::auth::{LinkedWallet, MAX_WALLETS_PER_USER};
use domain::WalletAddress;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    TransactionTrait as _, TryInsertResult,
};
use service::{ApiError, clock};
use time::OffsetDateTime;
use uuid::Uuid;

/// What linking a wallet came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linked {
    /// It is the user's from now on.
    Now,
    /// It was the user's already.
    Before,
    /// It is another user's.
    ToAnother,
    /// The user has as many as one may have.
    TooMany,
}

/// Every wallet of `user`, oldest first.
pub(crate) async fn of_user(
    database: &DatabaseConnection,
    user: Uuid,
) -> Result<Vec<LinkedWallet>, ApiError> {
    let rows = wallets::Entity::find()
        .filter(wallets::Column::UserId.eq(user))
        .order_by_asc(wallets::Column::LinkedAt)
        .order_by_asc(wallets::Column::Address)
        .all(database)
        .await?;
    rows.into_iter()
        .map(|row| {
            let wallet_address = WalletAddress::try_from(row.address.as_str())
                .map_err(|error| ApiError::internal(&error))?;
            Ok(LinkedWallet {
                wallet_address,
                linked_at: clock::rfc3339(row.linked_at),
            })
        })
        .collect()
}

/// Makes `wallet` one of `user`'s. Of two users at once, and of a first sign-in and a link, one gets it: its address is
/// the key of the table.
pub(crate) async fn link(
    database: &DatabaseConnection,
    user: Uuid,
    wallet: WalletAddress,
) -> Result<Linked, ApiError> {
    let transaction = database.begin().await?;
    let linked = link_in(&transaction, user, &wallet.to_string()).await?;
    transaction.commit().await?;
    Ok(linked)
}

async fn link_in(
    transaction: &DatabaseTransaction,
    user: Uuid,
    address: &str,
) -> Result<Linked, DbErr> {
    // Links of one user wait for each other, so that together they do not pass the limit.
    users::Entity::find_by_id(user)
        .lock(LockType::NoKeyUpdate)
        .one(transaction)
        .await?;
    if let Some(linked) = owner(transaction, user, address).await? {
        return Ok(linked);
    }
    let count = wallets::Entity::find()
        .filter(wallets::Column::UserId.eq(user))
        .count(transaction)
        .await?;
    if count >= u64::from(MAX_WALLETS_PER_USER) {
        return Ok(Linked::TooMany);
    }
    let inserted = wallets::Entity::insert(wallets::ActiveModel {
        address: Set(address.to_owned()),
        user_id: Set(user),
        linked_at: Set(OffsetDateTime::now_utc()),
    })
    .on_conflict_do_nothing()
    .exec_without_returning(transaction)
    .await?;
    if matches!(inserted, TryInsertResult::Inserted(1..)) {
        return Ok(Linked::Now);
    }
    // Someone was quicker, and has committed, or the insertion would have waited.
    let owner = owner(transaction, user, address).await?;
    owner.ok_or_else(|| DbErr::RecordNotFound("a wallet that was just there".to_owned()))
}

async fn owner(
    transaction: &DatabaseTransaction,
    user: Uuid,
    address: &str,
) -> Result<Option<Linked>, DbErr> {
    let row = wallets::Entity::find_by_id(address.to_owned())
        .one(transaction)
        .await?;
    Ok(row.map(|row| {
        if row.user_id == user {
            Linked::Before
        } else {
            Linked::ToAnother
        }
    }))
}
