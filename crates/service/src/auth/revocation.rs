//! Which sessions and which signing keys were ended: learned from the database, several times a second.
//!
//! The database is where they are ended, so it is also what instances read: no event can be lost, and Redis has no
//! part in it. An access token outlives its session by up to an hour; what was ended longer ago needs no memory.

use super::Believed;
use crate::{ApiError, clock};
use contracts::Code;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, Statement};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;
use uuid::Uuid;

/// How often the database is asked: a quarter of what an instance may lag behind.
const INTERVAL: Duration = Duration::from_millis(500);
/// How far back a question goes while each is answered. An end is stamped when its transaction begins and seen when
/// that commits, so this is longer than any transaction may take.
const OVERLAP_SECONDS: u32 = 30;
/// The longest life of an access token, with the leeway of clocks.
const MEMORY_SECONDS: u32 = 3_660;
/// How many turns of the watch pass between two that forget what is too old: one minute.
const TURNS_TO_FORGET: u32 = 120;

/// The sessions and signing keys that were ended lately. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Revocations(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: DatabaseConnection,
    ended: RwLock<Ended>,
}

/// What was ended, and when that may be forgotten (seconds since the epoch).
#[derive(Debug, Default)]
struct Ended {
    sessions: HashMap<Uuid, u64>,
    keys: HashMap<String, u64>,
}

impl Revocations {
    /// Starts watching; stops when the last clone is gone. The database need not be up yet.
    pub fn watch(database: DatabaseConnection) -> Self {
        let inner = Arc::new(Inner {
            database,
            ended: RwLock::default(),
        });
        tokio::spawn(follow(Arc::downgrade(&inner)));
        Self(inner)
    }

    /// Refuses a token whose session or key was ended.
    ///
    /// What was ended elsewhere is known within two seconds, or as soon as the database answers again. With `now` the
    /// database is asked about the session, and without its answer the token is not taken either: 503
    /// `auth.revocation_unknown`.
    pub async fn check(&self, token: &Believed, now: bool) -> Result<(), ApiError> {
        let session = token.principal.session;
        if self.0.has_ended(session, &token.key_id) {
            return Err(over());
        }
        if now && self.ask_about(session, &token.key_id).await? {
            self.note(session);
            return Err(over());
        }
        Ok(())
    }

    /// Notes a session that this instance has just ended.
    pub fn note(&self, session: Uuid) {
        self.0.remember([session], []);
    }

    async fn ask_about(&self, session: Uuid, key_id: &str) -> Result<bool, ApiError> {
        let sql = "SELECT EXISTS (SELECT FROM session_revocations WHERE session_id = $1) \
                   OR EXISTS (SELECT FROM retired_signing_keys WHERE kid = $2) AS ended";
        let values = [session.into(), key_id.into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let row = self.0.database.query_one_raw(statement).await;
        match row.and_then(|row| row.map_or(Ok(false), |row| row.try_get("", "ended"))) {
            Ok(ended) => Ok(ended),
            Err(error) => {
                tracing::warn!(cause = %error, "whether a session was ended cannot be found out");
                Err(ApiError::new(
                    Code::AuthRevocationUnknown,
                    "Whether the session is still open cannot be found out now; try again.",
                )
                .with_retry_after(Duration::from_secs(1)))
            }
        }
    }
}

fn over() -> ApiError {
    ApiError::new(
        Code::AuthSessionRevoked,
        "The session was ended; sign in again.",
    )
}

impl Inner {
    fn has_ended(&self, session: Uuid, key_id: &str) -> bool {
        let ended = self.ended.read().unwrap_or_else(PoisonError::into_inner);
        ended.sessions.contains_key(&session) || ended.keys.contains_key(key_id)
    }

    fn remember(
        &self,
        sessions: impl IntoIterator<Item = Uuid>,
        keys: impl IntoIterator<Item = String>,
    ) {
        let until = clock::now_seconds().saturating_add(MEMORY_SECONDS.into());
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        for session in sessions {
            ended.sessions.entry(session).or_insert(until);
        }
        for key in keys {
            ended.keys.entry(key).or_insert(until);
        }
    }

    fn forget_the_old(&self) {
        let now = clock::now_seconds();
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        ended.sessions.retain(|_, until| *until > now);
        ended.keys.retain(|_, until| *until > now);
    }

    /// Learns what was ended in the last `seconds`.
    async fn learn(&self, seconds: u32) -> Result<(), DbErr> {
        let sql = "SELECT session_id, NULL AS kid FROM session_revocations \
                   WHERE revoked_at > now() - make_interval(secs => $1) \
                   UNION ALL SELECT NULL, kid FROM retired_signing_keys \
                   WHERE retired_at > now() - make_interval(secs => $1)";
        let values = [i64::from(seconds).into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let rows = self.database.query_all_raw(statement).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let (mut sessions, mut keys) = (Vec::new(), Vec::new());
        for row in &rows {
            sessions.extend(row.try_get::<Option<Uuid>>("", "session_id")?);
            keys.extend(row.try_get::<Option<String>>("", "kid")?);
        }
        self.remember(sessions, keys);
        Ok(())
    }
}

async fn follow(inner: Weak<Inner>) {
    let mut back = MEMORY_SECONDS;
    let mut turns = 0u32;
    loop {
        let Some(inner) = inner.upgrade() else { return };
        back = match inner.learn(back).await {
            Ok(()) => OVERLAP_SECONDS,
            Err(error) => {
                tracing::debug!(cause = %error, "what was ended could not be read");
                MEMORY_SECONDS
            }
        };
        turns = turns.wrapping_add(1);
        if turns.is_multiple_of(TURNS_TO_FORGET) {
            inner.forget_the_old();
        }
        drop(inner);
        tokio::time::sleep(INTERVAL).await;
    }
}
