//! Opening a session, and with the first one of a wallet its user.

use super::{EndReason, Grant, IS_OPEN, Sessions, seconds, statement};
use crate::domain::refresh::SessionKey;
use crate::domain::token::LiveSession;
use crate::store::entity::{users, wallets};
use domain::WalletAddress;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ConnectionTrait as _, DatabaseTransaction, DbErr, EntityTrait as _, QuerySelect as _,
    TransactionTrait as _, TryInsertResult,
};
use service::ApiError;
use time::OffsetDateTime;
use uuid::Uuid;

/// One try more than two racing first sign-ins need.
const TRIES: usize = 3;

impl Sessions {
    /// Opens a session of `wallet`. At its first sign-in the wallet's user is made in the same transaction, so
    /// there is never one without the other; of several first sign-ins at once, one makes the user. The oldest
    /// session of a user who has too many is ended.
    pub(crate) async fn open(&self, wallet: WalletAddress) -> Result<Grant, ApiError> {
        let key = SessionKey::random().map_err(|error| ApiError::internal(&error))?;
        for _ in 0..TRIES {
            let transaction = self.0.database.begin().await?;
            match user_of(&transaction, wallet).await? {
                Some(user) => {
                    let session = self.insert(&transaction, &key, wallet, user).await?;
                    let ended = self.end_beyond_limit(&transaction, &session).await?;
                    transaction.commit().await?;
                    self.note(&ended);
                    return self.grant(&key, session, 0);
                }
                // Another sign-in of the wallet has just made its user. Ours goes with the transaction.
                None => transaction.rollback().await?,
            }
        }
        Err(ApiError::internal(&"a wallet was neither found nor made"))
    }

    async fn insert(
        &self,
        transaction: &DatabaseTransaction,
        key: &SessionKey,
        wallet: WalletAddress,
        user: users::Model,
    ) -> Result<LiveSession, ApiError> {
        let id = Uuid::now_v7();
        let sealed = self.0.sealing.seal(key.as_bytes(), &id.to_string());
        let sealed = sealed.map_err(|error| ApiError::internal(&error))?;
        let sql = "INSERT INTO sessions (id, user_id, wallet_address, sealed_key, expires_at) \
                   VALUES ($1, $2, $3, $4, now() + $5::bigint * interval '1 second')";
        let absolute = self.0.policy.absolute;
        let values = [
            id.into(),
            user.id.into(),
            wallet.to_string().into(),
            sealed.into(),
            seconds(absolute).into(),
        ];
        transaction.execute_raw(statement(sql, values)).await?;
        Ok(LiveSession {
            id,
            user: user.id,
            wallet,
            roles: user.roles,
            left: absolute,
        })
    }

    async fn end_beyond_limit(
        &self,
        transaction: &DatabaseTransaction,
        newest: &LiveSession,
    ) -> Result<Vec<Uuid>, DbErr> {
        let sql = format!(
            "SELECT id FROM sessions WHERE user_id = $2 AND id <> $3 AND {IS_OPEN} \
             ORDER BY created_at DESC, id DESC OFFSET $4"
        );
        let others = i64::from(self.0.policy.per_user.saturating_sub(1));
        let values = [
            self.idle_seconds().into(),
            newest.user.into(),
            newest.id.into(),
            others.into(),
        ];
        let rows = transaction.query_all_raw(statement(sql, values)).await?;
        let mut too_many: Vec<Uuid> = rows
            .iter()
            .map(|row| row.try_get("", "id"))
            .collect::<Result<_, _>>()?;
        too_many.sort_unstable();
        for id in &too_many {
            super::end::end_one(transaction, *id, EndReason::TooMany).await?;
        }
        Ok(too_many)
    }
}

/// The user of `wallet`, made now if there is none; `None` if someone else was quicker. The user stays locked, so
/// that sign-ins of one user count their sessions one after the other.
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
            .lock(LockType::NoKeyUpdate)
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
