//! Removing sessions that are long over.

use super::statement;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr};
use std::time::Duration;

/// How often is looked for sessions to remove.
const SWEEP_EVERY: Duration = Duration::from_mins(10);
/// How long a session that is over can still be looked at, for whoever asks what happened: 30 days.
const KEPT_DAYS: i64 = 30;
/// So few at once that no lock is held for long.
const BATCH: u32 = 500;

/// Removes sessions that are long over, for as long as the process runs. Any number of instances may.
pub(crate) async fn sweep(database: DatabaseConnection) {
    loop {
        if let Err(error) = remove_old(&database).await {
            tracing::warn!(cause = %error, "old sessions could not be removed");
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}

async fn remove_old(database: &DatabaseConnection) -> Result<(), DbErr> {
    let sql = "WITH old AS MATERIALIZED ( \
                   SELECT id FROM sessions WHERE revoked_at < now() - $1::bigint * interval '1 day' \
                   OR expires_at < now() - $1::bigint * interval '1 day' \
                   LIMIT $2::bigint FOR UPDATE SKIP LOCKED) \
               DELETE FROM sessions USING old WHERE sessions.id = old.id";
    loop {
        let values = [KEPT_DAYS.into(), i64::from(BATCH).into()];
        let removed = database.execute_raw(statement(sql, values)).await?;
        if removed.rows_affected() < u64::from(BATCH) {
            return Ok(());
        }
    }
}
