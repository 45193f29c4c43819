//! The platform, for one test at a time.

use client::{Client, Endpoints};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use tokio::task::block_in_place;
use twistctl::Paths;
use twistctl::build::build;
use twistctl::platform::{Options, Part, Platform, PortChoice, Twin};
use twistctl::smoke::Target;

static PLATFORM: OnceCell<Mutex<Platform>> = OnceCell::const_new();

/// The whole platform, every part of it running, while this value lives.
pub struct Turn(MutexGuard<'static, Platform>);

impl Turn {
    /// Waits for its turn; the first starts the platform.
    pub async fn take() -> Self {
        let platform = PLATFORM
            .get_or_init(|| async { Mutex::new(block_in_place(shared)) })
            .await;
        let mut guard = platform.lock().await;
        // A test that failed may have left something stopped.
        block_in_place(|| guard.start_missing()).unwrap();
        Self(guard)
    }

    /// A platform of its own named `name`, whose edge has its default limits and the bindings `edge_vars`. It lives
    /// as long as the process.
    pub fn alone(name: &str, edge_vars: &[(&str, &str)]) -> Self {
        let platform = block_in_place(|| start(name, edge_vars));
        let platform: &'static Mutex<Platform> = Box::leak(Box::new(Mutex::new(platform)));
        Self(platform.try_lock().expect("nobody else has it"))
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        self.0.client().unwrap()
    }

    /// For the smoke journeys.
    pub fn target(&self) -> Target {
        Target::of(&self.0).unwrap()
    }

    /// The secret between the edge and the api.
    pub fn ingest_secret(&self) -> &str {
        &self.0.secrets.ingest
    }

    /// Whether a service says that it can work.
    pub fn is_ready(&self, part: Part) -> bool {
        block_in_place(|| self.0.is_ready(part))
    }

    /// Its process: another number means that it was restarted.
    pub fn pid(&mut self, part: Part) -> u32 {
        self.0.pid(part).unwrap()
    }

    /// Stops a part as an operator does.
    pub fn stop(&mut self, part: Part) {
        block_in_place(|| self.0.stop(part));
    }

    /// `kill -9`.
    pub fn kill(&mut self, part: Part) {
        block_in_place(|| self.0.kill(part));
    }

    /// Starts a part that was stopped or killed.
    pub fn start(&mut self, part: Part) {
        block_in_place(|| self.0.start(part)).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Starts a second instance of a service.
    pub fn twin(&self, part: Part) -> Twin {
        self.0.twin(part).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Announces a new signing key, as an operator does; it becomes the active one by itself.
    pub fn rotate_keys(&self) {
        let said = block_in_place(|| self.0.run_auth(&["keys", "rotate"]));
        said.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Its public addresses.
    pub fn endpoints(&self) -> Endpoints {
        self.0.endpoints()
    }

    /// The ports of auth-service and influencer-api.
    pub fn ports(&self) -> [u16; 2] {
        [self.0.ports.auth, self.0.ports.api]
    }

    /// The database, as its owner.
    pub async fn database(&self) -> DatabaseConnection {
        Database::connect(self.0.owner_url()).await.unwrap()
    }

    /// Redis.
    pub fn redis_url(&self) -> String {
        self.0.redis_url()
    }

    /// Whether PostgreSQL answers.
    pub async fn answers(&self) -> bool {
        Database::connect(self.0.owner_url()).await.is_ok()
    }

    /// Every invariant of the ledger holds.
    pub async fn assert_ledger(&self) {
        testkit::assert_ledger_invariants(&self.database().await).await;
    }

    /// A number from the database.
    pub async fn number(&self, sql: &str) -> i64 {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        self.database()
            .await
            .query_one_raw(statement)
            .await
            .unwrap()
            .unwrap()
            .try_get_by_index(0)
            .unwrap()
    }
}

fn shared() -> Platform {
    start(
        "e2e",
        &[
            // So that a lost delivery is repeated while the test waits.
            ("RESEND_AFTER_MS", "1000"),
            ("RATE_BATCH_PER_MINUTE", "100000"),
        ],
    )
}

fn start(name: &str, edge_vars: &[(&str, &str)]) -> Platform {
    let paths = Paths::discover().unwrap();
    let state = std::env::temp_dir().join(format!("twist-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&state).unwrap();
    let paths = paths.with_state(state);
    let artifacts = build(&paths).unwrap_or_else(|error| panic!("{error}"));
    let options = Options {
        ports: PortChoice::Any,
        edge_vars: settings(edge_vars),
        guard_vars: BTreeMap::new(),
        auth_env: settings(&[
            // So that a rotation is over while the test waits; a verifier must see a key before it signs.
            ("TWIST_AUTH__KEY_ANNOUNCE_SECONDS", "6"),
            ("TWIST_AUTH__KEY_REFRESH_SECONDS", "1"),
            ("TWIST_AUTH__VERIFIER_MAX_AGE_SECONDS", "2"),
            // All tests are one address, and sign in often; a journey tries where the limit is.
            ("TWIST_AUTH__LIMITS__SIGN_IN__LIMIT", "1000"),
            ("TWIST_AUTH__LIMITS__SESSION__LIMIT", "100000"),
        ]),
        api_env: settings(&[
            ("TWIST_API__TOKEN__JWKS_MAX_AGE_SECONDS", "2"),
            ("TWIST_API__TOKEN__JWKS_MIN_INTERVAL_SECONDS", "1"),
            ("TWIST_API__LIMITS__READ__LIMIT", "1000000"),
            ("TWIST_API__LIMITS__MONEY__LIMIT", "1000000"),
            ("TWIST_API__LIMITS__OPERATE__LIMIT", "1000000"),
        ]),
        settlement_env: settings(&[("TWIST_SETTLEMENT__RELEASE__EVERY_SECONDS", "1")]),
        throwaway: true,
    };
    Platform::up(&paths, artifacts, options).unwrap_or_else(|error| panic!("{error}"))
}

fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

/// Asks until the answer is yes; fails the test after a minute.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !ask().await {
        assert!(Instant::now() < deadline, "{what}: not within a minute");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
