//! The database schema: one list of migrations for every service.
//!
//! A migration only adds; what it replaces is dropped one release later, so that the release before
//! still runs on the new schema. None can be undone, since undoing one would lose data.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbBackend, Statement,
};
use std::collections::HashSet;

/// Statements are refused rather than queued behind a long lock.
const LIMITS: &str = "SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '15min';";

/// Declares a migration that runs the SQL file of the same name.
macro_rules! sql_migration {
    ($type:ident, $name:literal) => {
        struct $type;

        impl MigrationName for $type {
            fn name(&self) -> &'static str {
                $name
            }
        }

        #[async_trait::async_trait]
        impl MigrationTrait for $type {
            async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                let connection = manager.get_connection();
                connection.execute_unprepared(LIMITS).await?;
                connection
                    .execute_unprepared(include_str!(concat!("sql/", $name, ".sql")))
                    .await
                    .map(|_| ())
            }
        }
    };
}

sql_migration!(CreateIdentity, "m20261120_000001_create_identity");
sql_migration!(CreateDevices, "m20261120_000002_create_devices");
sql_migration!(CreateLedger, "m20261120_000003_create_ledger");
sql_migration!(CreateVaus, "m20261120_000004_create_vaus");
sql_migration!(AddSessionRules, "m20261120_000005_add_session_rules");
sql_migration!(AddKeyLife, "m20261120_000006_add_key_life");
sql_migration!(SweepSessions, "m20261120_000007_sweep_sessions");
sql_migration!(WidenLedger, "m20261120_000008_widen_ledger");
sql_migration!(CreateOutbox, "m20261120_000009_create_outbox");
sql_migration!(CreateStaking, "m20261120_000010_create_staking");
sql_migration!(CreatePayouts, "m20261128_000011_create_payouts");
sql_migration!(SpeedUpLedger, "m20261128_000012_speed_up_ledger");
sql_migration!(AddInfluencerTier, "m20261128_000013_add_influencer_tier");
sql_migration!(CreateVerdicts, "m20261128_000014_create_verdicts");
sql_migration!(KeepBatches, "m20261128_000015_keep_batches");
sql_migration!(
    CreateDeviceCredentials,
    "m20261128_000016_create_device_credentials"
);

/// Runs the migrations. Safe to start twice at once: the second waits, then finds nothing to do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(CreateIdentity),
            Box::new(CreateDevices),
            Box::new(CreateLedger),
            Box::new(CreateVaus),
            Box::new(AddSessionRules),
            Box::new(AddKeyLife),
            Box::new(SweepSessions),
            Box::new(WidenLedger),
            Box::new(CreateOutbox),
            Box::new(CreateStaking),
            Box::new(CreatePayouts),
            Box::new(SpeedUpLedger),
            Box::new(AddInfluencerTier),
            Box::new(CreateVerdicts),
            Box::new(KeepBatches),
            Box::new(CreateDeviceCredentials),
        ]
    }
}

/// Any number of the platform's own: names the lock that migrators queue for.
const LOCK: i64 = 0x7477_6973_7401;

/// Brings the database at `url` up to date and returns the names of the migrations that were run.
///
/// # Errors
/// When the database cannot be reached, or a migration fails; that one is then rolled back, and those
/// before it stay.
pub async fn up(url: &str) -> Result<Vec<String>, DbErr> {
    let db = connect(url).await?;
    // The lock belongs to the session, and the pool has one connection.
    db.execute_unprepared(&format!("SELECT pg_advisory_lock({LOCK})"))
        .await?;
    let pending = pending(&db).await?;
    // Of a database that a later release has migrated the library would say that files are missing.
    if !pending.is_empty() {
        Migrator::up(&db, None).await?;
    }
    db.close().await?;
    Ok(pending)
}

/// The names of the migrations that `db` still lacks; those that only a later release knows do not matter. Writes nothing.
pub async fn pending(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let ask = |sql: &str| Statement::from_string(DbBackend::Postgres, sql);
    let there = "SELECT to_regclass('seaql_migrations') IS NOT NULL";
    let there = db.query_one_raw(ask(there)).await?;
    let there = there.map(|row| row.try_get_by_index(0)).transpose()?;
    let applied = if there.unwrap_or(false) {
        let rows = db.query_all_raw(ask("SELECT version FROM seaql_migrations"));
        let rows = rows.await?;
        rows.iter()
            .map(|row| row.try_get_by_index(0))
            .collect::<Result<HashSet<String>, _>>()?
    } else {
        HashSet::new()
    };
    Ok(Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .filter(|name| !applied.contains(name))
        .collect())
}

/// One connection, as migrations need it.
///
/// # Errors
/// When the database cannot be reached.
pub async fn connect(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await
}
