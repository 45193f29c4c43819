//! Ending sessions. What ends one writes when and why, takes its key away, and tells this instance at once; the
//! others read it from the table.

use super::{IS_OPEN, Sessions, statement};
use crate::store::entity::users;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait as _};
use uuid::Uuid;

/// Why a session ended, as the row says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// Its user signed it out.
    Logout,
    /// Its user signed everything out.
    LogoutAll,
    /// Its user ended it from another session.
    EndedByUser,
    /// An operator ended all sessions of its user.
    Operator,
    /// Its user signed in more often than one may.
    TooMany,
    /// A refresh token was used twice.
    RefreshReused,
    /// A refresh token was newer than the row.
    RefreshAhead,
}

impl EndReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::LogoutAll => "logout_all",
            Self::EndedByUser => "ended_by_user",
            Self::Operator => "operator",
            Self::TooMany => "too_many",
            Self::RefreshReused => "refresh_reused",
            Self::RefreshAhead => "refresh_ahead",
        }
    }
}

impl Sessions {
    /// Ends one session of `user`; `false` if the user has none with this id. One that is over stays as it is.
    pub(crate) async fn end(
        &self,
        user: Uuid,
        session: Uuid,
        reason: EndReason,
    ) -> Result<bool, DbErr> {
        let sql = "WITH own AS (SELECT id FROM sessions WHERE id = $1 AND user_id = $2), \
                   ended AS (UPDATE sessions SET revoked_at = now(), revoke_reason = $3, sealed_key = NULL \
                             WHERE id IN (SELECT id FROM own) AND revoked_at IS NULL) \
                   SELECT id FROM own";
        let values = [session.into(), user.into(), reason.as_str().into()];
        let own = self
            .0
            .database
            .query_one_raw(statement(sql, values))
            .await?
            .is_some();
        if own {
            self.note(&[session]);
        }
        Ok(own)
    }

    /// Ends every session of `user`; how many of them could still be used.
    pub(crate) async fn end_all(&self, user: Uuid, reason: EndReason) -> Result<u32, DbErr> {
        // Locked in one order, so that two of these do not wait for each other.
        let sql = format!(
            "WITH own AS (SELECT id, {IS_OPEN} AS open FROM sessions \
                          WHERE user_id = $2 AND revoked_at IS NULL ORDER BY id FOR UPDATE), \
             ended AS (UPDATE sessions SET revoked_at = now(), revoke_reason = $3, sealed_key = NULL \
                       WHERE id IN (SELECT id FROM own)) \
             SELECT id, open FROM own"
        );
        let values = [
            self.idle_seconds().into(),
            user.into(),
            reason.as_str().into(),
        ];
        let rows = self
            .0
            .database
            .query_all_raw(statement(sql, values))
            .await?;
        let mut open = 0u32;
        for row in &rows {
            self.note(&[row.try_get("", "id")?]);
            open = open.saturating_add(u32::from(row.try_get::<bool>("", "open")?));
        }
        Ok(open)
    }

    /// Whether there is such a user at all.
    pub(crate) async fn user_exists(&self, user: Uuid) -> Result<bool, DbErr> {
        let found = users::Entity::find_by_id(user)
            .one(&self.0.database)
            .await?;
        Ok(found.is_some())
    }

    pub(super) fn note(&self, sessions: &[Uuid]) {
        for session in sessions {
            self.0.revocations.note(*session);
        }
    }
}

/// Ends a session within a transaction. The caller tells [`Sessions::note`] after the commit.
pub(super) async fn end_one(
    connection: &impl ConnectionTrait,
    session: Uuid,
    reason: EndReason,
) -> Result<(), DbErr> {
    let sql = "UPDATE sessions SET revoked_at = now(), revoke_reason = $2, sealed_key = NULL \
               WHERE id = $1 AND revoked_at IS NULL";
    let values = [session.into(), reason.as_str().into()];
    connection.execute_raw(statement(sql, values)).await?;
    Ok(())
}
