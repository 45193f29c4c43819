//! What the tests share: databases, and instances of the real program.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use std::process::Command;
use std::time::{Duration, Instant};
use testkit::program::{self, Program};
use testkit::{OwnPostgres, OwnRedis, TestDb, TestRedis};

/// Longer than anything takes that is not broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// Everything works soon, and of the jobs none: a test chooses.
const SETTINGS: [(&str, &str); 13] = [
    ("LISTEN", "127.0.0.1:0"),
    ("OPS_LISTEN", "127.0.0.1:0"),
    ("RELAY__POLL_MS", "50"),
    ("RELAY__CAMPAIGN_MS", "200"),
    ("SEALER__PAUSE_MS", "50"),
    ("SCHEDULER__POLL_MS", "50"),
    ("SCHEDULER__LEASE_SECONDS", "2"),
    ("EXPIRY__EVERY_SECONDS", "86400"),
    ("CHECK__EVERY_SECONDS", "86400"),
    ("SWEEP__EVERY_SECONDS", "86400"),
    ("TIERS__EVERY_SECONDS", "86400"),
    ("SETTLE__EVERY_SECONDS", "86400"),
    ("RELEASE__EVERY_SECONDS", "86400"),
];

/// Where instances work.
pub(crate) struct World {
    pub(crate) db: DatabaseConnection,
    pub(crate) database_url: String,
    pub(crate) redis_url: String,
    kept: Option<(TestDb, TestRedis)>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let (test, redis) = (TestDb::new().await, TestRedis::new().await);
        Self {
            db: test.connect().await,
            database_url: test.app_url.clone(),
            redis_url: redis.url.clone(),
            kept: Some((test, redis)),
        }
    }

    /// On servers that belong to the test.
    pub(crate) async fn on(postgres: &OwnPostgres, redis: &OwnRedis) -> Self {
        Self {
            db: postgres.connect().await,
            database_url: postgres.app_url.clone(),
            redis_url: redis.url.clone(),
            kept: None,
        }
    }

    /// With a Redis that belongs to the test, to flush and stop.
    pub(crate) async fn with_redis(redis: &OwnRedis) -> Self {
        let world = Self::new().await;
        Self {
            redis_url: redis.url.clone(),
            ..world
        }
    }

    /// An instance that is not started yet. `settings` without what they all begin with.
    pub(crate) fn command(&self, settings: &[(&str, &str)]) -> Command {
        let mut command = program::command(env!("CARGO_BIN_EXE_settlement-worker"));
        let stores = [
            ("DATABASE__URL", self.database_url.as_str()),
            ("REDIS__URL", self.redis_url.as_str()),
        ];
        for (name, value) in SETTINGS.iter().chain(&stores).chain(settings) {
            command.env(format!("TWIST_SETTLEMENT__{name}"), value);
        }
        command
    }

    /// An instance that is ready.
    pub(crate) async fn worker(&self, settings: &[(&str, &str)]) -> Worker {
        let program = Program::start(self.command(settings));
        let (url, ops) = program.ready().await;
        Worker { program, url, ops }
    }

    /// Runs an instance that dies at `point`, until it does.
    pub(crate) async fn die_at(&self, point: &str, settings: &[(&str, &str)]) {
        let mut command = self.command(settings);
        command.env(failpoint::VARIABLE, point);
        Program::start(command).died().await;
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = self.db.query_one_raw(statement).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    /// Waits until `sql` counts `wanted`.
    pub(crate) async fn until_count(&self, sql: &str, wanted: i64) {
        until(sql, async || self.count(sql).await == wanted).await;
    }

    pub(crate) async fn run(&self, sql: &str) {
        run_as(&self.db, sql).await;
    }

    /// Who may do what only an attacker would.
    pub(crate) async fn owner(&self) -> DatabaseConnection {
        let (test, _) = self.kept.as_ref().unwrap();
        test.connect_as_owner().await
    }
}

pub(crate) async fn run_as(db: &DatabaseConnection, sql: &str) {
    db.execute_unprepared(sql).await.unwrap();
}

/// An instance at work.
pub(crate) struct Worker {
    pub(crate) program: Program,
    pub(crate) url: String,
    pub(crate) ops: String,
}

impl Worker {
    pub(crate) async fn status(&self, path: &str) -> u16 {
        let answer = reqwest::get(format!("{}{path}", self.url)).await;
        answer.unwrap().status().as_u16()
    }

    /// The value of the one series `name`, or of `name{labels}`.
    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        let answer = reqwest::get(format!("{}/metrics", self.ops)).await.unwrap();
        let text = answer.text().await.unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map(|value| value.parse().unwrap())
    }

    pub(crate) async fn leads(&self) -> bool {
        self.metric("bus_relay_leads").await == Some(1.0)
    }
}

pub(crate) async fn until(what: &str, reached: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !reached().await {
        assert!(begun.elapsed() < PATIENCE, "not in {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}
