//! Opening a session, and with the first one of a wallet its user.

use super::entity::{sessions, users, wallets};
use crate::domain::token::OpenedSession;
use domain::WalletAddress;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait as _, TransactionTrait as _,
    TryInsertResult,
};
use service::ApiError;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// A session ends then, however much it is used.
const ABSOLUTE_LIFETIME: Duration = Duration::days(30);
/// One try more than two racing first sign-ins need.
const TRIES: usize = 3;

/// Opens a session of `wallet`. At its first sign-in the wallet's user is made in the same transaction, so
/// there is never one without the other; of several first sign-ins at once, one makes the user.
pub(crate) async fn open(
    database: &DatabaseConnection,
    wallet: WalletAddress,
) -> Result<OpenedSession, ApiError> {
    for _ in 0..TRIES {
        let transaction = database.begin().await?;
        match user_of(&transaction, wallet).await? {
            Some(user) => {
                let session = insert_session(&transaction, wallet, user).await?;
                transaction.commit().await?;
                return Ok(session);
            }
            // Another sign-in of the wallet has just made its user. Ours goes with the transaction.
            None => transaction.rollback().await?,
        }
    }
    Err(ApiError::internal(&"a wallet was neither found nor made"))
}

/// The user of `wallet`, made now if there is none; `None` if someone else was quicker.
async fn user_of(
    transaction: &DatabaseTransaction,
    wallet: WalletAddress,
) -> Result<Option<users::Model>, DbErr> {
    let address = wallet.to_string();
    let known = wallets::Entity::find_by_id(address.clone())
        .one(transaction)
        .await?;
    if let Some(wallet) = known {
        return users::Entity::find_by_id(wallet.user_id)
            .one(transaction)
            .await;
    }
    let now = OffsetDateTime::now_utc();
    let user = users::Model {
        id: Uuid::now_v7(),
        roles: vec!["user".to_owned()],
        created_at: now,
    };
    users::Entity::insert(users::ActiveModel::from(user.clone()))
        .exec_without_returning(transaction)
        .await?;
    let linked = wallets::Entity::insert(wallets::ActiveModel {
        address: Set(address),
        user_id: Set(user.id),
        linked_at: Set(now),
    })
    .on_conflict_do_nothing()
    .exec_without_returning(transaction)
    .await?;
    Ok(match linked {
        TryInsertResult::Inserted(1..) => Some(user),
        _ => None,
    })
}

async fn insert_session(
    transaction: &DatabaseTransaction,
    wallet: WalletAddress,
    user: users::Model,
) -> Result<OpenedSession, DbErr> {
    let now = OffsetDateTime::now_utc();
    let id = Uuid::now_v7();
    sessions::Entity::insert(sessions::ActiveModel {
        id: Set(id),
        user_id: Set(user.id),
        wallet_address: Set(wallet.to_string()),
        created_at: Set(now),
        last_used_at: Set(now),
        expires_at: Set(now + ABSOLUTE_LIFETIME),
        generation: Set(0),
        ..Default::default()
    })
    .exec_without_returning(transaction)
    .await?;
    Ok(OpenedSession {
        id,
        user: user.id,
        wallet,
        roles: user.roles,
    })
}
