//! Which sessions were ended: learned from the database, several times a second.
//!
//! The database is where a session is ended, so it is also what instances read: no event can be lost, and Redis has
//! no part in it. An access token outlives its session by up to an hour; what was ended longer ago needs no memory.

use crate::{ApiError, clock};
use contracts::Code;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, Statement};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;
use uuid::Uuid;

/// How often the database is asked: a quarter of what an instance may lag behind.
const INTERVAL: Duration = Duration::from_millis(500);
/// How far back a question goes while each is answered. A session's end is stamped when its transaction begins and
/// seen when that commits, so this is longer than any transaction may take.
const OVERLAP_SECONDS: i64 = 30;
/// The longest life of an access token, with the leeway of clocks.
const MEMORY_SECONDS: i64 = 3_660;

/// The sessions that were ended lately. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Revocations(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: DatabaseConnection,
    /// By session, when it may be forgotten, in seconds since the epoch.
    ended: RwLock<HashMap<Uuid, u64>>,
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

    /// Refuses a session that is known to have been ended. What was ended elsewhere is known within two seconds, or
    /// as soon as the database answers again.
    pub fn check(&self, session: Uuid) -> Result<(), ApiError> {
        if self.0.knows(session) {
            Err(revoked())
        } else {
            Ok(())
        }
    }

    /// Refuses a session that was ended, asking the database: 503 `auth.revocation_unknown` without an answer.
    pub async fn check_now(&self, session: Uuid) -> Result<(), ApiError> {
        self.check(session)?;
        let sql = "SELECT 1 FROM session_revocations WHERE session_id = $1";
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [session.into()]);
        match self.0.database.query_one_raw(statement).await {
            Ok(None) => Ok(()),
            Ok(Some(_)) => {
                self.note(session);
                Err(revoked())
            }
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

    /// Notes a session that this instance has just ended.
    pub fn note(&self, session: Uuid) {
        self.0.remember([session]);
    }
}

fn revoked() -> ApiError {
    ApiError::new(
        Code::AuthSessionRevoked,
        "The session was ended; sign in again.",
    )
}

impl Inner {
    fn knows(&self, session: Uuid) -> bool {
        self.ended
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&session)
    }

    fn remember(&self, sessions: impl IntoIterator<Item = Uuid>) {
        let now = clock::now_seconds();
        let until = now.saturating_add(MEMORY_SECONDS.unsigned_abs());
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        for session in sessions {
            ended.entry(session).or_insert(until);
        }
    }

    fn forget_the_old(&self) {
        let now = clock::now_seconds();
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|_, until| *until > now);
    }

    async fn ask(&self, seconds: i64) -> Result<Vec<Uuid>, DbErr> {
        let sql = "SELECT session_id FROM session_revocations \
                   WHERE revoked_at > now() - make_interval(secs => $1)";
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [seconds.into()]);
        let rows = self.database.query_all_raw(statement).await?;
        rows.iter()
            .map(|row| row.try_get("", "session_id"))
            .collect()
    }
}

async fn follow(inner: Weak<Inner>) {
    let mut back = MEMORY_SECONDS;
    let mut turns = 0u32;
    loop {
        let Some(inner) = inner.upgrade() else { return };
        match inner.ask(back).await {
            Ok(sessions) => {
                if !sessions.is_empty() {
                    inner.remember(sessions);
                }
                back = OVERLAP_SECONDS;
            }
            Err(error) => {
                tracing::debug!(cause = %error, "ended sessions could not be read");
                back = MEMORY_SECONDS;
            }
        }
        turns = turns.wrapping_add(1);
        if turns % 120 == 0 {
            inner.forget_the_old();
        }
        drop(inner);
        tokio::time::sleep(INTERVAL).await;
    }
}
