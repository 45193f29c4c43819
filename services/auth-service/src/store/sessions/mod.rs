//! Sessions: opened by a sign-in, carried on by refresh tokens, ended by many.
//!
//! Every time that is compared or written is the database's, so that clocks of instances do not matter.

mod end;
mod list;
mod open;
mod refresh;
mod sweep;

pub(crate) use end::EndReason;
pub(crate) use refresh::{Refreshed, Refusal};
pub(crate) use sweep::sweep;

use crate::domain::refresh::{RefreshToken, SessionKey, SessionPolicy};
use crate::domain::seal::{SealError, SealingKey};
use crate::domain::token::LiveSession;
use sea_orm::{DatabaseConnection, DbBackend, Statement, Value};
use service::ApiError;
use service::auth::Revocations;
use service::reads::Reads;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Holds of a session that can still be used. `$1` is the idle time in seconds.
const IS_OPEN: &str = "revoked_at IS NULL AND expires_at > now() \
                       AND last_used_at > now() - $1::bigint * interval '1 second'";

/// The sessions of all users. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Sessions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: DatabaseConnection,
    reads: Reads,
    sealing: SealingKey,
    policy: SessionPolicy,
    revocations: Revocations,
    /// What a token of no session is compared with, so that it is refused as slowly as any other.
    decoy: Decoy,
}

#[derive(Debug)]
struct Decoy {
    id: Uuid,
    sealed: Vec<u8>,
}

/// What a client is given: whose session it is, and how to carry it on.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) session: LiveSession,
    pub(crate) refresh_token: String,
    /// Until the refresh token is of no use, if it is not used before.
    pub(crate) refresh_expires_in: Duration,
}

impl Sessions {
    /// `sealing` seals the sessions' keys; `revocations` is told of every end.
    pub(crate) fn new(
        database: DatabaseConnection,
        reads: Reads,
        sealing: SealingKey,
        policy: SessionPolicy,
        revocations: Revocations,
    ) -> Result<Self, SealError> {
        let id = Uuid::nil();
        let key = SessionKey::random().map_err(|_| SealError::Random)?;
        let sealed = sealing.seal(key.as_bytes(), &id.to_string())?;
        Ok(Self(Arc::new(Inner {
            database,
            reads,
            sealing,
            policy,
            revocations,
            decoy: Decoy { id, sealed },
        })))
    }

    fn grant(
        &self,
        key: &SessionKey,
        session: LiveSession,
        generation: u32,
    ) -> Result<Grant, ApiError> {
        let refresh_token = RefreshToken::issue(key, session.id, generation)
            .ok_or_else(|| ApiError::internal(&"a refresh token could not be made"))?;
        Ok(Grant {
            refresh_expires_in: session.left.min(self.0.policy.idle),
            session,
            refresh_token,
        })
    }

    fn open_key(&self, sealed: &[u8], session: Uuid) -> Option<SessionKey> {
        let bytes = self.0.sealing.open(sealed, &session.to_string()).ok()?;
        Some(SessionKey::from_bytes(bytes))
    }

    fn idle_seconds(&self) -> i64 {
        seconds(self.0.policy.idle)
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn statement(sql: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
