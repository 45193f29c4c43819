//! The database session of the one relay that leads.

use crate::BusError;
use crate::event::ENVELOPE_SQL;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _, Row as _};
use std::str::FromStr as _;
use std::time::Duration;

/// Any number of the platform's own: names the lock of the relays.
const LOCK: i64 = 0x7477_6973_7402;
/// A session that is not heard of for so long is ended by the server, and the lock with it: so a leader that hangs, or
/// whose machine is gone, is followed by another within ten seconds. Longer than any pause of a leader that is well.
const LIMITS: &str = "SET idle_session_timeout = '5s'; \
    SET idle_in_transaction_session_timeout = '5s'; SET statement_timeout = '5s'; SET lock_timeout = '2s'; \
    SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3; \
    SET tcp_user_timeout = 5000";
/// A server that answers nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(6);

/// Holds the lock of the relays for as long as its session lasts.
#[derive(Debug)]
pub(super) struct Leader(PgConnection);

/// An event on its way: its number, its topic, its envelope.
pub(super) type Row = (i64, String, String);

impl Leader {
    /// Connects and becomes the leader, unless there is one.
    pub(super) async fn campaign(url: &str) -> Result<Option<Self>, BusError> {
        within(async {
            let options = PgConnectOptions::from_str(url)?
                .application_name("outbox relay")
                .disable_statement_logging();
            let mut session = PgConnection::connect_with(&options).await?;
            sqlx::raw_sql(LIMITS).execute(&mut session).await?;
            let leads: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
                .bind(LOCK)
                .fetch_one(&mut session)
                .await?;
            if leads {
                return Ok(Some(Self(session)));
            }
            session.close().await?;
            Ok(None)
        })
        .await
    }

    /// Begins a transaction and takes at most `batch` events that are not published, by their flag: the order of
    /// numbers is not that of commits, so no cursor over them is safe.
    pub(super) async fn begin(
        &mut self,
        batch: u16,
        leave_out: &[String],
    ) -> Result<Vec<Row>, BusError> {
        let sql = format!(
            "SELECT o.id, o.topic, ({ENVELOPE_SQL})::text AS envelope FROM outbox AS o \
             WHERE o.published_at IS NULL AND split_part(o.topic, '.', 2) <> ALL ($2) \
             ORDER BY o.id LIMIT $1 FOR UPDATE SKIP LOCKED"
        );
        within(async {
            sqlx::raw_sql("BEGIN").execute(&mut self.0).await?;
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(i64::from(batch))
                .bind(leave_out)
                .fetch_all(&mut self.0)
                .await?;
            let rows = rows.iter().map(|row| {
                Ok((
                    row.try_get("id")?,
                    row.try_get("topic")?,
                    row.try_get("envelope")?,
                ))
            });
            rows.collect()
        })
        .await
    }

    /// Marks events as published and commits.
    pub(super) async fn mark(&mut self, ids: &[i64]) -> Result<(), BusError> {
        within(async {
            sqlx::query("UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY ($1)")
                .bind(ids)
                .execute(&mut self.0)
                .await?;
            sqlx::raw_sql("COMMIT").execute(&mut self.0).await?;
            Ok(())
        })
        .await
    }

    /// Ends the transaction with nothing marked.
    pub(super) async fn give_up(&mut self) -> Result<(), BusError> {
        within(async {
            sqlx::raw_sql("ROLLBACK").execute(&mut self.0).await?;
            Ok(())
        })
        .await
    }

    /// Lets another lead at once.
    pub(super) async fn resign(self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.0.close()).await;
    }
}

async fn within<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, BusError> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()).into()),
    }
}
