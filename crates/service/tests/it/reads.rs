//! Reads by key over the shared connection, and what becomes of them when there is none.

use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use service::config::DatabaseConfig;
use service::db;
use service::reads::{Param, Reads};
use std::time::{Duration, Instant};
use testkit::{OwnPostgres, TestDb};
use time::OffsetDateTime;
use tokio::task::JoinSet;
use uuid::Uuid;

const NAME: &str = "reads under test";
const ECHO: &str = "SELECT $1::uuid AS id, $2::bigint AS number, $3::text AS text, \
    ARRAY[$3::text, 'b'] AS texts, timestamptz '2026-01-02 03:04:05.000006Z' AS at, NULL::bigint AS nothing";

fn config(url: &str) -> DatabaseConfig {
    DatabaseConfig {
        url: url.to_owned().into(),
        max_connections: 4,
        acquire_timeout_ms: 2_000,
        statement_timeout_ms: 700,
    }
}

async fn reads(url: &str) -> (Reads, DatabaseConnection) {
    let config = config(url);
    let pool = db::connect(&config, "pool under test").await.unwrap();
    (Reads::new(pool.clone(), &config, NAME), pool)
}

/// Waits for the shared connection.
async fn connected(admin: &DatabaseConnection) {
    until("connected", async || connections(admin).await == 1).await;
}

async fn connections(admin: &DatabaseConnection) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity \
         WHERE application_name = '{NAME}' AND datname = current_database()"
    );
    let row = admin.query_one_raw(sea_orm::Statement::from_string(
        sea_orm::DbBackend::Postgres,
        sql,
    ));
    row.await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(Instant::now() < deadline, "never {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn params(id: Uuid) -> [Param; 3] {
    [id.into(), i64::MIN.into(), "ä'".to_owned().into()]
}

async fn echoes(reads: &Reads) {
    let id = Uuid::new_v4();
    let row = reads.one(ECHO, &params(id)).await.unwrap().unwrap();
    assert_eq!(row.get::<Uuid>("id").unwrap(), id);
    assert_eq!(row.get::<i64>("number").unwrap(), i64::MIN);
    assert_eq!(row.get::<String>("text").unwrap(), "ä'");
    assert_eq!(row.get::<Vec<String>>("texts").unwrap(), ["ä'", "b"]);
    let at: OffsetDateTime = row.get("at").unwrap();
    assert_eq!(at.unix_timestamp_nanos(), 1_767_323_045_000_006_000);
    assert_eq!(row.get::<Option<i64>>("nothing").unwrap(), None);
    assert!(row.get::<i64>("nothing").is_err());
    assert!(row.get::<i64>("text").is_err());
    assert!(row.get::<i64>("absent").is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_read_the_same() {
    let db = TestDb::new().await;
    let admin = db.connect_as_owner().await;
    let (shared, _) = reads(&db.app_url).await;
    connected(&admin).await;
    echoes(&shared).await;
    // What cannot be read in the clear is for the pool; here a parameter that only the pool knows.
    let (pooled, _) = reads(&format!("{}?statement-cache-capacity=10", db.app_url)).await;
    echoes(&pooled).await;
    assert_eq!(connections(&admin).await, 1);
    let none = shared
        .one("SELECT 1 WHERE $1::bigint = 2", &[1.into()])
        .await;
    assert!(none.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_reads_at_once_need_one_connection_and_get_their_own_answers() {
    let db = TestDb::new().await;
    let admin = db.connect_as_owner().await;
    let (reads, pool) = reads(&db.app_url).await;
    connected(&admin).await;
    pool.close().await.unwrap();
    let mut all = JoinSet::new();
    for number in 0..1_000i64 {
        let reads = reads.clone();
        all.spawn(async move {
            let sql = "SELECT $1::bigint + 1 AS next";
            let row = reads.one(sql, &[number.into()]).await.unwrap().unwrap();
            assert_eq!(row.get::<i64>("next").unwrap(), number + 1);
        });
    }
    while let Some(read) = all.join_next().await {
        read.unwrap();
    }
    assert_eq!(connections(&admin).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_was_given_up_takes_nobody_elses_answer() {
    let db = TestDb::new().await;
    let admin = db.connect_as_owner().await;
    let (reads, _) = reads(&db.app_url).await;
    connected(&admin).await;
    let sql = "SELECT $1::bigint AS number, pg_sleep(0.05)";
    for number in 0..20i64 {
        let given_up = [(-1).into()];
        let short = Duration::from_millis(10);
        let _ = tokio::time::timeout(short, reads.one(sql, &given_up)).await;
        let row = reads.one(sql, &[number.into()]).await.unwrap().unwrap();
        assert_eq!(row.get::<i64>("number").unwrap(), number);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_takes_too_long_is_unavailable_and_the_next_one_is_not() {
    let db = TestDb::new().await;
    let admin = db.connect_as_owner().await;
    let (reads, _) = reads(&db.app_url).await;
    connected(&admin).await;
    let begun = Instant::now();
    let slow = reads.one("SELECT pg_sleep($1::bigint)", &[30.into()]).await;
    assert!(slow.is_err_and(|error| db::is_unavailable(&error)));
    assert!(begun.elapsed() < Duration::from_secs(3));
    echoes(&reads).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_under_way_fails_no_read() {
    let db = TestDb::new().await;
    let admin = db.connect_as_owner().await;
    let setup = "CREATE TABLE changing (id bigint PRIMARY KEY, value integer NOT NULL); \
                 INSERT INTO changing VALUES (1, 7); GRANT SELECT ON changing TO PUBLIC";
    admin.execute_unprepared(setup).await.unwrap();
    let (reads, _) = reads(&db.app_url).await;
    connected(&admin).await;
    let sql = "SELECT * FROM changing WHERE id = $1";
    for change in ["bigint", "integer", "bigint"] {
        let alter = format!("ALTER TABLE changing ALTER value TYPE {change}");
        admin.execute_unprepared(&alter).await.unwrap();
        for _ in 0..3 {
            let row = reads.one(sql, &[1.into()]).await.unwrap().unwrap();
            let value = match change {
                "bigint" => row.get::<i64>("value").unwrap(),
                _ => row.get::<i32>("value").unwrap().into(),
            };
            assert_eq!(value, 7);
        }
    }
    assert_eq!(connections(&admin).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_fail_while_the_server_is_down_and_go_on_when_it_is_back() {
    let postgres = OwnPostgres::new().await;
    let (reads, _) = reads(&postgres.app_url).await;
    connected(&postgres.connect().await).await;
    echoes(&reads).await;
    postgres.stop().await;
    for _ in 0..3 {
        let failed = reads.one(ECHO, &params(Uuid::new_v4())).await;
        assert!(failed.is_err_and(|error| db::is_unavailable(&error)));
    }
    postgres.start().await;
    until("read again", async || {
        reads.one(ECHO, &params(Uuid::new_v4())).await.is_ok()
    })
    .await;
    // From then on without a failure, and over the shared connection again.
    let admin = postgres.connect().await;
    until("connected again", async || {
        echoes(&reads).await;
        connections(&admin).await == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_ends_with_what_reads_over_it() {
    let db = TestDb::new().await;
    let admin = db.connect_as_owner().await;
    let (reads, pool) = reads(&db.app_url).await;
    connected(&admin).await;
    drop((reads, pool));
    until("closed", async || connections(&admin).await == 0).await;
}
