//! Which sessions and which signing keys were ended: learned from the database, several times a second.
//!
//! The database is where they are ended, so it is also what instances read: no event can be lost, and Redis has no
//! part in it. An access token outlives its session by up to an hour; a session that was ended longer ago needs no memory.

use super::Believed;
use crate::config::DatabaseConfig;
use crate::health::ReadyCheck;
use crate::{ApiError, clock, db};
use contracts::Code;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, Statement};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How often the database is asked: a quarter of what an instance may lag behind.
const INTERVAL: Duration = Duration::from_millis(500);
/// A question that takes longer has failed; the next one goes over a new connection if need be.
const PATIENCE: Duration = Duration::from_secs(1);
/// An instance that has heard nothing for so long is not ready.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// How far back a question goes while each is answered. An end is stamped when its transaction begins and seen when
/// that commits, so this is longer than any request or statement may take (600 s).
const OVERLAP_SECONDS: u32 = 660;
/// The longest life of an access token, with the leeway of clocks.
const MEMORY_SECONDS: u32 = 3_660;
/// How many turns of the watch pass between two that forget what is too old: one minute.
const TURNS_TO_FORGET: u32 = 120;

/// The sessions and signing keys that were ended. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Revocations(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Of the requests.
    database: DatabaseConnection,
    /// Of the watch, so that it never waits behind requests.
    watch: DatabaseConnection,
    ended: RwLock<Ended>,
    heard: RwLock<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Ended {
    /// Each with when it may be forgotten, in seconds since the epoch: then its tokens are over by themselves.
    sessions: HashMap<Uuid, u64>,
    /// For good: whoever has a leaked key makes new tokens with it. They are few.
    keys: HashSet<String>,
}

impl Revocations {
    /// Starts watching; stops when the last clone is gone. The database need not be up yet. `requests` is the pool of
    /// the service; the watch has a connection of its own.
    pub async fn watch(
        requests: DatabaseConnection,
        config: &DatabaseConfig,
    ) -> Result<Self, DbErr> {
        let alone = DatabaseConfig {
            max_connections: 1,
            ..config.clone()
        };
        let inner = Arc::new(Inner {
            database: requests,
            watch: db::connect(&alone, "revocations").await?,
            ended: RwLock::default(),
            heard: RwLock::default(),
        });
        tokio::spawn(follow(Arc::downgrade(&inner)));
        Ok(Self(inner))
    }

    /// Refuses a token whose session or key is known to have been ended. What was ended elsewhere is known within two
    /// seconds, or as soon as the database answers again.
    pub fn check(&self, token: &Believed) -> Result<(), ApiError> {
        if self.0.has_ended(token.principal.session, &token.key_id) {
            Err(over())
        } else {
            Ok(())
        }
    }

    /// [`Revocations::check`], asking the database: 503 `auth.revocation_unknown` without an answer.
    pub async fn check_now(&self, token: &Believed) -> Result<(), ApiError> {
        let session = token.principal.session;
        let sql = "SELECT EXISTS (SELECT FROM session_revocations WHERE session_id = $1) AS session, \
                   EXISTS (SELECT FROM retired_signing_keys WHERE kid = $2) AS key";
        let values = [session.into(), (*token.key_id).into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let row = self.0.database.query_one_raw(statement).await;
        let answer = row.and_then(|row| match row {
            Some(row) => Ok((row.try_get("", "session")?, row.try_get("", "key")?)),
            None => Ok((false, false)),
        });
        match answer {
            Ok((false, false)) => Ok(()),
            Ok((session_ended, key_ended)) => {
                // Each for itself: the session of a token with a retired key goes on with its next token.
                let sessions = session_ended.then_some(session);
                let keys = key_ended.then(|| token.key_id.to_string());
                self.0.remember(sessions, keys);
                Err(over())
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
        self.0.remember([session], []);
    }

    /// `revocations`: the watch hears from the database.
    pub fn ready_check(&self) -> ReadyCheck {
        let inner = Arc::clone(&self.0);
        ReadyCheck::new("revocations", move || {
            let heard = *inner.heard.read().unwrap_or_else(PoisonError::into_inner);
            async move {
                match heard {
                    Some(at) if at.elapsed() < READY_WITHIN => Ok(()),
                    Some(at) => Err(format!("nothing heard for {} s", at.elapsed().as_secs())),
                    None => Err("nothing heard yet".to_owned()),
                }
            }
        })
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
        ended.sessions.contains_key(&session) || ended.keys.contains(key_id)
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
        ended.keys.extend(keys);
    }

    fn forget_the_old(&self) {
        let now = clock::now_seconds();
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        ended.sessions.retain(|_, until| *until > now);
    }

    /// Learns which sessions were ended in the last `seconds`, and which keys ever.
    async fn learn(&self, seconds: u32) -> Result<(), DbErr> {
        let sql = "SELECT session_id, NULL AS kid FROM session_revocations \
                   WHERE revoked_at > now() - make_interval(secs => $1) \
                   UNION ALL SELECT NULL, kid FROM retired_signing_keys";
        let values = [i64::from(seconds).into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let rows = self.watch.query_all_raw(statement).await?;
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
        // Bounded here too: a connection that is silently dead answers nothing at all.
        let heard = match tokio::time::timeout(PATIENCE, inner.learn(back)).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::debug!(cause = %error, "what was ended could not be read");
                false
            }
            Err(_) => {
                tracing::warn!("what was ended could not be read in time");
                false
            }
        };
        back = if heard {
            *inner.heard.write().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            OVERLAP_SECONDS
        } else {
            MEMORY_SECONDS
        };
        turns = turns.wrapping_add(1);
        if turns.is_multiple_of(TURNS_TO_FORGET) {
            inner.forget_the_old();
        }
        drop(inner);
        tokio::time::sleep(INTERVAL).await;
    }
}
