//! `PostgreSQL`.

use crate::config::DatabaseConfig;
use crate::health::ReadyCheck;
use sea_orm::sqlx;
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbErr, RuntimeErr,
};
use secrecy::ExposeSecret as _;
use std::time::Duration;

/// A pooled connection that has rested for this long is tried before use, so that after a restart of the
/// server requests do not trip over connections that died with it: no restart is shorter. Busy connections pay nothing.
const TEST_AFTER_IDLE: Duration = Duration::from_millis(50);

/// A pool that connects when first used: a service starts while the database is down, answers 503, and
/// recovers by itself.
pub async fn connect(
    config: &DatabaseConfig,
    application_name: &'static str,
) -> Result<DatabaseConnection, DbErr> {
    let acquire = Duration::from_millis(config.acquire_timeout_ms);
    let mut options = ConnectOptions::new(config.url.expose_secret());
    options
        .max_connections(config.max_connections)
        .connect_lazy(true)
        .connect_timeout(acquire)
        .acquire_timeout(acquire)
        .idle_timeout(Duration::from_mins(5))
        .max_lifetime(Duration::from_mins(30))
        .test_before_acquire(false)
        .test_before_acquire_if_idle_for(TEST_AFTER_IDLE)
        .set_application_name(application_name)
        .statement_timeout(Duration::from_millis(config.statement_timeout_ms))
        .sqlx_logging(false);
    Database::connect(options).await
}

/// `postgres`: a statement gets an answer.
pub fn ready_check(database: &DatabaseConnection) -> ReadyCheck {
    let database = database.clone();
    ReadyCheck::new("postgres", move || {
        let database = database.clone();
        async move {
            database
                .execute_unprepared("SELECT 1")
                .await
                .map(|_| ())
                .map_err(|error| error.to_string())
        }
    })
}

/// Whether `error` says that the database cannot be used now, so that the same request may succeed
/// later: no connection, shutting down, too many clients, a timeout, a conflict of transactions.
pub fn is_unavailable(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            sqlx_unavailable(error)
        }
        _ => false,
    }
}

fn sqlx_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // Connection exceptions, insufficient resources, operator intervention (shutdown, cancelled
            // by timeout), read-only standby, serialization failure and deadlock.
            ["08", "53", "57"]
                .iter()
                .any(|class| code.starts_with(class))
                || ["25006", "40001", "40P01"].contains(&&*code)
        }),
        _ => false,
    }
}
