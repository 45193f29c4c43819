//! What happens to a platform in traffic.

use crate::{Turn, eventually};
use std::process::Command;
use std::time::Duration;
use tokio::task::block_in_place;
use twistctl::platform::Part;

/// A session of a service: whichever is in the middle of something, if one is.
const SESSION: &str = "FROM pg_stat_activity WHERE usename = 'twist' AND backend_type = 'client backend' \
                       ORDER BY (state = 'active') DESC, random() LIMIT 1";

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// `kill -9` of a program, which is started again.
    Killed(Part),
    /// The database ends a session of a service.
    SessionEnded,
    /// `kill -9` of one process of PostgreSQL, whereupon it restarts with all of its sessions.
    BackendKilled,
    /// PostgreSQL is stopped and started.
    PostgresRestarted,
    /// Redis forgets everything.
    Flushed,
    /// Redis is away for so long.
    RedisAway(Duration),
    /// What is no event comes in every stream, and an event that nobody can deal with.
    Poisoned,
    /// Everything in the streams comes once more, in another order.
    Repeated,
    /// No fault, but as hard on the books: the day on which payouts are made by themselves.
    DayOne,
}

impl Fault {
    /// Makes it happen, and waits until what died is back.
    pub async fn happen(self, turn: &mut Turn) {
        match self {
            Self::Killed(part) => {
                turn.kill(part);
                turn.start(part);
            }
            Self::SessionEnded => {
                let sql = format!(
                    "SELECT coalesce((SELECT pg_terminate_backend(pid)::int::bigint {SESSION}), 0)"
                );
                turn.number(&sql).await;
            }
            Self::BackendKilled => {
                let sql = format!("SELECT coalesce((SELECT pid::bigint {SESSION}), 0)");
                let pid = turn.number(&sql).await;
                if pid > 0 {
                    // It may have ended by itself meanwhile.
                    let _ = block_in_place(|| {
                        Command::new("kill").args(["-9", &pid.to_string()]).status()
                    });
                }
                eventually("PostgreSQL is back", || turn.answers()).await;
            }
            Self::PostgresRestarted => {
                turn.stop(Part::Postgres);
                turn.start(Part::Postgres);
            }
            Self::Flushed => {
                testkit::ask_redis(&turn.redis_url(), &["FLUSHALL"]).await;
            }
            Self::RedisAway(time) => {
                turn.stop(Part::Redis);
                tokio::time::sleep(time).await;
                turn.start(Part::Redis);
            }
            Self::Poisoned => poison(&turn.redis_url()).await,
            Self::Repeated => repeat(&turn.redis_url()).await,
            Self::DayOne => {
                let sql = "WITH due AS (UPDATE schedule SET due_at = clock_timestamp() \
                           WHERE name = 'auto_payout' RETURNING 1) SELECT count(*) FROM due";
                assert_eq!(turn.number(sql).await, 1, "the job is known");
            }
        }
    }
}

async fn streams(url: &str) -> Vec<String> {
    testkit::ask_redis(url, &["KEYS", "twist:events:*"]).await
}

async fn append(url: &str, stream: &str, event: &str) {
    testkit::ask_redis(url, &["XADD", stream, "*", "event", event]).await;
}

async fn poison(url: &str) {
    for stream in streams(url).await {
        append(url, &stream, "no event").await;
        append(url, &stream, "{\"topic\":\"twist.payouts.approved.v1\"}").await;
    }
}

async fn repeat(url: &str) {
    for stream in streams(url).await {
        let all = testkit::ask_redis(url, &["XRANGE", &stream, "-", "+"]).await;
        // Each is an id, the field's name, and its value.
        let mut events: Vec<_> = all.chunks_exact(3).map(|entry| &entry[2]).collect();
        events.reverse();
        let (even, odd): (Vec<_>, Vec<_>) = events
            .into_iter()
            .enumerate()
            .partition(|(place, _)| place % 2 == 0);
        for (_, event) in even.into_iter().chain(odd) {
            append(url, &stream, event).await;
        }
    }
}
