//! A started application on real servers, and a client for it.

use crate::issuer::{Issuer, claims};
use contracts::Problem;
use contracts::token::AccessClaims;
use reqwest::{Client, RequestBuilder, Response};
use service::access::{Guards, Routes};
use service::auth::{JwksPolicy, Revocations, TokenVerifier};
use service::config::{DatabaseConfig, HttpConfig, Listen, RedisConfig};
use service::health::ReadyCheck;
use service::limit::{Limiter, RateLimits};
use service::redis::Redis;
use service::server::{About, App, Running, ServerConfig, start};
use service::version::Revision;
use std::net::SocketAddr;
use testkit::{TestDb, TestRedis};
use uuid::Uuid;

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn about() -> About {
    About {
        service: "test-service",
        description: "A test.",
        revision: Some(Revision::try_from(COMMIT).unwrap()),
    }
}

/// What a test may change.
pub(crate) struct Setup {
    pub(crate) listen: SocketAddr,
    pub(crate) http: HttpConfig,
    pub(crate) limits: RateLimits,
    pub(crate) redis_url: Option<String>,
    pub(crate) verifier: Option<TokenVerifier>,
}

pub(crate) struct World {
    pub(crate) running: Running,
    pub(crate) http: Client,
    pub(crate) issuer: Issuer,
    pub(crate) redis_url: String,
    _servers: (TestDb, TestRedis),
}

impl World {
    pub(crate) async fn start(public: Routes, internal: Routes) -> Self {
        Self::start_with(public, internal, vec![], |_| {}).await
    }

    pub(crate) async fn start_with(
        public: Routes,
        internal: Routes,
        checks: Vec<ReadyCheck>,
        change: impl FnOnce(&mut Setup),
    ) -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut setup = Setup {
            listen: free,
            http: HttpConfig {
                request_timeout_ms: 2_000,
                ..HttpConfig::default()
            },
            limits: RateLimits::per_minute(1_000_000),
            redis_url: None,
            verifier: None,
        };
        change(&mut setup);
        let (db, redis) = (TestDb::new().await, TestRedis::new().await);
        let issuer = Issuer::start().await;
        let database_config = DatabaseConfig {
            url: db.app_url.clone().into(),
            max_connections: 4,
            acquire_timeout_ms: 2_000,
            statement_timeout_ms: 5_000,
        };
        let database = service::db::connect(&database_config, "test")
            .await
            .unwrap();
        let redis_url = setup.redis_url.unwrap_or_else(|| redis.url.clone());
        let client = Redis::connect(&RedisConfig {
            url: redis_url.clone().into(),
            command_timeout_ms: 1_000,
        })
        .unwrap();
        for _ in 0..200 {
            if client.ping().await.is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let guards = Guards {
            verifier: setup
                .verifier
                .unwrap_or_else(|| issuer.verifier(JwksPolicy::default())),
            revocations: Revocations::watch(database.clone(), &database_config)
                .await
                .unwrap(),
            database,
            limiter: Limiter::new(client, setup.limits),
        };
        let config = ServerConfig {
            listen: Listen {
                public: setup.listen,
                ops: free,
            },
            http: setup.http,
        };
        let app = App::new(about(), guards, public, internal, checks);
        let running = start(app, config).await.unwrap();
        Self {
            running,
            http: Client::builder().no_proxy().build().unwrap(),
            issuer,
            redis_url,
            _servers: (db, redis),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.public)
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(self.url(path))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(self.url(path))
    }

    /// A token of somebody else with every call.
    pub(crate) fn token(&self) -> String {
        self.issuer.token(&AccessClaims {
            uid: Uuid::new_v4(),
            sid: Uuid::new_v4(),
            ..claims()
        })
    }

    pub(crate) async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.running.ops);
        self.http
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }
}

/// The problem of an answer, after looking at what every problem has.
pub(crate) async fn problem(response: Response) -> Problem {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cache-control"], "no-store");
    let problem: Problem = response.json().await.unwrap();
    assert_eq!(problem.status, status);
    assert!(!problem.success);
    assert_eq!(problem.error, problem.detail);
    assert_eq!(
        headers["x-request-id"].to_str().unwrap(),
        problem.request_id
    );
    problem
}

pub(crate) async fn code(request: RequestBuilder) -> &'static str {
    problem(request.send().await.unwrap()).await.code.as_str()
}
