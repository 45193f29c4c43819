//! What is measured.

use crate::drive::{Call, Connection, Driven, Failure, flood, pace};
use crate::process::{cpu, resident};
use crate::sign_in::{refreshes, sign_in, sign_ins};
use crate::table::{Results, Row};
use crate::turns::Meters;
use crate::{baseline, ingest, postings, staking};
use client::Wallet;
use sea_orm::{Database, DatabaseConnection};
use stack::{free_port, http_status};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use tokio::task::block_in_place;
use twistctl::Paths;
use twistctl::platform::{Options, Part, Platform, PortChoice};

const CONNECTIONS: u32 = 16;
/// Requests a second of the latency measurement: the budget names it.
const PACE: u32 = 1_500;

/// A platform and a baseline, to be measured.
pub(crate) struct Bench {
    platform: Platform,
    bare: Bare,
    time: Duration,
}

/// Where the parts of the platform are, for those who use several.
pub(crate) struct Site {
    pub(crate) auth: u16,
    pub(crate) api: u16,
    /// Logged in as the owner of the tables.
    pub(crate) owner: DatabaseConnection,
    pub(crate) app_url: String,
    /// Signs what the edge delivers.
    pub(crate) edge_secret: String,
}

struct Bare {
    process: Child,
    port: u16,
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Bench {
    pub(crate) async fn start(dist: &Path, bare: &Path, time: Duration) -> Result<Self, Failure> {
        let bare = Bare::start(bare).await?;
        let platform = block_in_place(|| platform(dist))?;
        Ok(Self {
            platform,
            bare,
            time,
        })
    }

    pub(crate) async fn run(mut self) -> Result<Results, Failure> {
        let mut facts = Vec::new();
        for part in [Part::Auth, Part::Api, Part::Settlement] {
            facts.push((
                format!(
                    "{}: from its start to `/ready`, the fastest of three",
                    part.name()
                ),
                format!("{} ms", self.time_to_ready(part)?.as_millis()),
            ));
        }
        // What idle instances hold, some seconds after their start.
        tokio::time::sleep(Duration::from_secs(5)).await;
        for part in [Part::Auth, Part::Api, Part::Settlement] {
            facts.push((
                format!("{}: resident, idle", part.name()),
                self.memory(part)?,
            ));
        }
        let rows = self.requests().await?;
        for part in [Part::Auth, Part::Api, Part::Settlement] {
            facts.push((
                format!("{}: resident, after all this", part.name()),
                self.memory(part)?,
            ));
        }
        let [writes, postings] = self.writes().await?;
        block_in_place(|| self.platform.stop_all());
        Ok(Results {
            rows,
            writes,
            postings,
            facts,
        })
    }

    /// What requests cost, beside a bare route.
    async fn requests(&mut self) -> Result<Vec<Row>, Failure> {
        let mut rows = vec![self.bare_route().await?];
        let (auth, api) = (self.platform.ports.auth, self.platform.ports.api);
        let token = sign_in(&mut Connection::open(auth).await?, &Wallet::generate()?)
            .await?
            .access_token;
        for (what, port, path, part, token) in [
            (
                "api `GET /health`: all layers, no caller",
                api,
                "/health",
                Part::Api,
                None,
            ),
            (
                "api `GET /me/balance`: authenticated, one query",
                api,
                "/me/balance",
                Part::Api,
                Some(&token),
            ),
            (
                "api `GET /me`: authenticated, one query",
                api,
                "/me",
                Part::Api,
                Some(&token),
            ),
            (
                "auth `GET /auth/sessions`: authenticated, one query",
                auth,
                "/auth/sessions",
                Part::Auth,
                Some(&token),
            ),
        ] {
            let call = Call {
                port,
                path,
                token: token.cloned(),
            };
            let pid = self.pid(part)?;
            rows.push(measure(what, pid, flood(&call, CONNECTIONS, self.time)).await?);
        }
        let call = Call {
            port: api,
            path: "/me/balance",
            token: Some(token),
        };
        let what = format!("api `GET /me/balance` at {PACE}/s");
        let pid = self.pid(Part::Api)?;
        rows.push(measure(&what, pid, pace(&call, PACE, self.time)).await?);
        let pid = self.pid(Part::Auth)?;
        rows.push(
            measure(
                "auth sign-in: nonce and verify",
                pid,
                sign_ins(auth, CONNECTIONS, self.time),
            )
            .await?,
        );
        rows.push(
            measure(
                "auth `POST /auth/refresh`",
                pid,
                refreshes(auth, CONNECTIONS, self.time),
            )
            .await?,
        );
        Ok(rows)
    }

    /// What stakes and deliveries cost, and what the ledger costs the database.
    async fn writes(&mut self) -> Result<[Vec<Row>; 2], Failure> {
        let postmaster = self.pid(Part::Postgres)?;
        let [owner, app] = [self.platform.owner_url(), self.platform.app_url()];
        let owner = Database::connect(owner).await?;
        baseline::make(&owner).await?;
        let meters = Meters {
            postmaster,
            server: Some(self.pid(Part::Api)?),
        };
        let site = Site {
            auth: self.platform.ports.auth,
            api: self.platform.ports.api,
            owner: owner.clone(),
            app_url: app.clone(),
            edge_secret: self.platform.secrets.ingest.clone(),
        };
        // What it seals would be counted with whoever's turn it is.
        block_in_place(|| self.platform.stop(Part::Settlement));
        let mut writes = staking::run(&site, meters, self.time).await?;
        writes.extend(ingest::run(&site, meters, self.time).await?);
        // Only the database is measured now.
        for part in [Part::Edge, Part::Api, Part::Auth] {
            block_in_place(|| self.platform.stop(part));
        }
        let postings = postings::run(&owner, &app, postmaster, self.time).await?;
        Ok([writes, postings])
    }

    async fn bare_route(&self) -> Result<Row, Failure> {
        let call = Call {
            port: self.bare.port,
            path: "/",
            token: None,
        };
        let pid = self.bare.process.id();
        // Warm.
        flood(&call, CONNECTIONS, Duration::from_secs(1)).await?;
        let row = measure("a bare route", pid, flood(&call, CONNECTIONS, self.time)).await?;
        Ok(Row {
            baseline: true,
            ..row
        })
    }

    fn time_to_ready(&mut self, part: Part) -> Result<Duration, Failure> {
        block_in_place(|| {
            let mut fastest = Duration::MAX;
            for _ in 0..3 {
                let start = Instant::now();
                let twin = self.platform.twin(part)?;
                fastest = fastest.min(start.elapsed());
                drop(twin);
            }
            Ok(fastest)
        })
    }

    fn memory(&mut self, part: Part) -> Result<String, Failure> {
        let kib = resident(self.pid(part)?)?;
        Ok(format!("{}.{} MiB", kib / 1_024, kib % 1_024 * 10 / 1_024))
    }

    fn pid(&mut self, part: Part) -> Result<u32, Failure> {
        self.platform.pid(part).ok_or_else(|| "not started".into())
    }
}

impl Bare {
    async fn start(program: &Path) -> Result<Self, Failure> {
        let port = free_port()?;
        let process = Command::new(program).arg(port.to_string()).spawn()?;
        let bare = Self { process, port };
        while http_status(port, "/") != Some(200) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(bare)
    }
}

/// A platform whose limits are out of the way.
fn platform(dist: &Path) -> Result<Platform, Failure> {
    let paths = Paths::discover()?;
    let state = std::env::temp_dir().join(format!("twist-load-{}", std::process::id()));
    std::fs::create_dir_all(&state)?;
    let limits = |prefix: &str| -> BTreeMap<String, String> {
        [
            "SIGN_IN",
            "NONCE_PER_WALLET",
            "SESSION",
            "READ",
            "REGISTRATION",
            "MONEY",
        ]
        .iter()
        .map(|class| {
            (
                format!("{prefix}__LIMITS__{class}__LIMIT"),
                "1000000".to_owned(),
            )
        })
        .collect()
    };
    let options = Options {
        ports: PortChoice::Any,
        auth_env: limits("TWIST_AUTH"),
        api_env: limits("TWIST_API"),
        throwaway: true,
        ..Options::default()
    };
    let artifacts = twistctl::build::artifacts(dist)?;
    Ok(Platform::up(&paths.with_state(state), artifacts, options)?)
}

/// Runs `load` against the process `pid`.
async fn measure(
    what: &str,
    pid: u32,
    load: impl Future<Output = Result<Driven, Failure>>,
) -> Result<Row, Failure> {
    let before = cpu(pid)?;
    let driven = load.await?;
    Ok(Row {
        what: what.to_owned(),
        requests: driven.requests,
        took: driven.took,
        cpu: cpu(pid)?.saturating_sub(before),
        latency: Some((driven.percentile(50), driven.percentile(99))),
        baseline: false,
    })
}
