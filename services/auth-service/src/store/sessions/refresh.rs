//! Carrying a session on with a refresh token.

use super::{EndReason, Grant, IS_OPEN, Sessions, seconds, statement};
use crate::domain::refresh::{RefreshToken, SessionKey, Standing, Verdict};
use crate::domain::token::LiveSession;
use domain::WalletAddress;
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr, TransactionTrait as _};
use service::ApiError;
use std::time::Duration;
use uuid::Uuid;

/// What became of a refresh token.
#[derive(Debug)]
pub(crate) enum Refreshed {
    /// The session goes on.
    Granted {
        /// The session and its newest token.
        grant: Grant,
        /// The newest token had been given out before.
        repeated: bool,
    },
    /// It does not.
    Refused(Refusal),
}

/// Why a session does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The token is not one of ours, or its session is over.
    Invalid,
    /// It was used before; the session is over now.
    Reused(Uuid),
    /// It is newer than anything the database knows of; the session is over now, since an older token of it would
    /// be taken for the newest.
    Ahead(Uuid),
}

/// A session's row, locked.
struct Row {
    session: LiveSession,
    sealed_key: Option<Vec<u8>>,
    standing: Standing,
    open: bool,
}

impl Sessions {
    /// Uses `token`. Presentations of tokens of one session are judged one after the other.
    pub(crate) async fn refresh(&self, token: &RefreshToken) -> Result<Refreshed, ApiError> {
        let transaction = self.0.database.begin().await?;
        let row = self.locked(&transaction, token.session).await?;
        let Some((row, key)) = self.believe(row, token) else {
            transaction.rollback().await?;
            return Ok(Refreshed::Refused(Refusal::Invalid));
        };
        let id = row.session.id;
        let (generation, repeated) = match row.standing.judge(token.generation) {
            Verdict::Rotate => {
                rotate(&transaction, id).await?;
                (row.standing.current.saturating_add(1), false)
            }
            Verdict::Repeat => (row.standing.current, true),
            // The end has to last although the request fails.
            Verdict::Reused => {
                self.end_in(transaction, id, EndReason::RefreshReused)
                    .await?;
                return Ok(Refreshed::Refused(Refusal::Reused(id)));
            }
            Verdict::Ahead => {
                self.end_in(transaction, id, EndReason::RefreshAhead)
                    .await?;
                return Ok(Refreshed::Refused(Refusal::Ahead(id)));
            }
        };
        let grant = self.grant(&key, row.session, generation)?;
        transaction.commit().await?;
        Ok(Refreshed::Granted { grant, repeated })
    }

    /// The row and its key, if `token` was made with it and the session is open. Does the same work in any case.
    fn believe(&self, row: Option<Row>, token: &RefreshToken) -> Option<(Row, SessionKey)> {
        let decoy = &self.0.decoy;
        let (sealed, id) = match &row {
            Some(Row {
                sealed_key: Some(sealed),
                session,
                ..
            }) => (sealed, session.id),
            _ => (&decoy.sealed, decoy.id),
        };
        let Some(key) = self.open_key(sealed, id) else {
            tracing::error!(session = %id, "the sealed key of a session does not open");
            return None;
        };
        let authentic = token.is_authentic(&key);
        let row = row?;
        (authentic && row.open && row.sealed_key.is_some()).then_some((row, key))
    }

    async fn locked(
        &self,
        transaction: &DatabaseTransaction,
        session: Uuid,
    ) -> Result<Option<Row>, ApiError> {
        let sql = format!(
            "SELECT sessions.id, user_id, wallet_address, roles, generation, sealed_key, {IS_OPEN} AS open, \
             coalesce(rotated_at > now() - $2::bigint * interval '1 second', false) AS rotated_lately, \
             greatest(floor(extract(epoch FROM expires_at - now())), 0)::bigint AS seconds_left \
             FROM sessions JOIN users ON users.id = user_id WHERE sessions.id = $3 FOR UPDATE OF sessions"
        );
        let values = [
            self.idle_seconds().into(),
            seconds(self.0.policy.grace).into(),
            session.into(),
        ];
        let Some(row) = transaction.query_one_raw(statement(sql, values)).await? else {
            return Ok(None);
        };
        let wallet: String = row.try_get("", "wallet_address")?;
        let left: i64 = row.try_get("", "seconds_left")?;
        let generation: i32 = row.try_get("", "generation")?;
        Ok(Some(Row {
            session: LiveSession {
                id: row.try_get("", "id")?,
                user: row.try_get("", "user_id")?,
                wallet: WalletAddress::try_from(wallet.as_str())
                    .map_err(|error| ApiError::internal(&error))?,
                roles: row.try_get("", "roles")?,
                left: Duration::from_secs(left.unsigned_abs()),
            },
            sealed_key: row.try_get("", "sealed_key")?,
            standing: Standing {
                current: u32::try_from(generation).map_err(|error| ApiError::internal(&error))?,
                rotated_lately: row.try_get("", "rotated_lately")?,
            },
            open: row.try_get("", "open")?,
        }))
    }

    async fn end_in(
        &self,
        transaction: DatabaseTransaction,
        session: Uuid,
        reason: EndReason,
    ) -> Result<(), DbErr> {
        super::end::end_one(&transaction, session, reason).await?;
        transaction.commit().await?;
        self.note(&[session]);
        Ok(())
    }
}

async fn rotate(transaction: &DatabaseTransaction, session: Uuid) -> Result<(), DbErr> {
    let sql = "UPDATE sessions SET generation = generation + 1, rotated_at = now(), last_used_at = now() \
               WHERE id = $1";
    transaction
        .execute_raw(statement(sql, [session.into()]))
        .await?;
    Ok(())
}
