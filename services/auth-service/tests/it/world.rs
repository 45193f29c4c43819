//! A started auth-service, and wallets that sign in.

use auth_service::Config;
use auth_service::config::SessionConfig;
use conformance::Watch;
use contracts::Problem;
use contracts::auth::{NonceResponse, TokenResponse};
use domain::WalletAddress;
use ed25519_dalek::{Signer as _, SigningKey};
use reqwest::{Client, Method, Response};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement, TryGetable};
use serde_json::{Value, json};
use service::access::RouteRule;
use service::auth::{JwksPolicy, TokenConfig, TokenVerifier};
use service::config::{DatabaseConfig, HttpConfig, RedisConfig};
use service::limit::RateLimits;
use service::server::{self, Running};
use std::net::SocketAddr;
use std::time::Duration;
use testkit::{TestDb, TestRedis};
use tokio::time::Instant;

pub(crate) const ISSUER: &str = "https://auth.test.example";

/// A service on a database and a Redis of its own.
pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) database: DatabaseConnection,
    pub(crate) db: TestDb,
    pub(crate) redis: TestRedis,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let (db, redis) = (TestDb::new().await, TestRedis::new().await);
        let mut settings = config(&db.app_url, &redis.url);
        change(&mut settings);
        Self {
            service: Service::start(&settings).await,
            database: db.connect().await,
            db,
            redis,
        }
    }

    /// Rows of users, wallets and sessions.
    pub(crate) async fn rows(&self) -> [i64; 3] {
        let mut counts = [0; 3];
        for (count, table) in counts.iter_mut().zip(["users", "wallets", "sessions"]) {
            *count = self.number(&format!("SELECT count(*) FROM {table}")).await;
        }
        counts
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.value(sql).await
    }

    pub(crate) async fn text(&self, sql: &str) -> String {
        self.value(sql).await
    }

    async fn value<T: TryGetable>(&self, sql: &str) -> T {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = self
            .database
            .query_one_raw(statement)
            .await
            .unwrap()
            .unwrap();
        row.try_get_by_index(0).unwrap()
    }
}

pub(crate) fn config(database_url: &str, redis_url: &str) -> Config {
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    Config {
        listen: free,
        ops_listen: free,
        database: DatabaseConfig {
            url: database_url.to_owned().into(),
            max_connections: 8,
            acquire_timeout_ms: 2_000,
            statement_timeout_ms: 5_000,
        },
        redis: RedisConfig {
            url: redis_url.to_owned().into(),
            command_timeout_ms: 1_000,
        },
        issuer: ISSUER.to_owned(),
        domain: "app.test.example".to_owned(),
        uri: "https://app.test.example".to_owned(),
        chain_id: "solana:devnet".to_owned(),
        statement: "Sign in to the test.".to_owned(),
        legacy_message: false,
        nonce_ttl_seconds: 300,
        access_ttl_seconds: 900,
        key_refresh_seconds: 30,
        key_announce_seconds: 600,
        verifier_max_age_seconds: 300,
        key_rotation_days: 90,
        key_encryption_key: "ab".repeat(32).into(),
        http: HttpConfig::default(),
        // Tests are one address.
        limits: RateLimits::per_minute(100_000),
        sessions: SessionConfig::default(),
    }
}

/// One running instance.
pub(crate) struct Service {
    pub(crate) running: Running,
    pub(crate) http: Client,
    /// The authorisation table.
    pub(crate) rules: Vec<RouteRule>,
    /// Fails the test when an answer is not as documented.
    _watch: Watch,
}

impl Service {
    /// Started and ready.
    pub(crate) async fn start(config: &Config) -> Self {
        let service = Self::start_unready(config).await;
        service.until_status("/ready", 200).await;
        service
    }

    pub(crate) async fn start_unready(config: &Config) -> Self {
        let (app, limits) = auth_service::prepare(config, None).await.unwrap();
        let watch = Watch::of(app.openapi());
        let app = app.around(watch.wrap());
        Self {
            rules: app.rules().to_vec(),
            running: server::start(app, limits).await.unwrap(),
            http: Client::builder().no_proxy().build().unwrap(),
            _watch: watch,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        let url = format!("http://{}{path}", self.running.public);
        self.http.get(url).send().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        let url = format!("http://{}{path}", self.running.public);
        self.http.post(url).json(body).send().await.unwrap()
    }

    /// A request without a body, with a bearer token.
    pub(crate) async fn call(&self, method: Method, path: &str, token: &str) -> Response {
        let url = format!("http://{}{path}", self.running.public);
        let request = self.http.request(method, url).bearer_auth(token);
        request.send().await.unwrap()
    }

    /// A request with a body and a bearer token.
    pub(crate) async fn call_with(&self, path: &str, token: &str, body: &Value) -> Response {
        let url = format!("http://{}{path}", self.running.public);
        let request = self.http.post(url).bearer_auth(token).json(body);
        request.send().await.unwrap()
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Response {
        self.post("/auth/refresh", &json!({"refreshToken": refresh_token}))
            .await
    }

    pub(crate) async fn nonce(&self, wallet: &Wallet) -> NonceResponse {
        let response = self
            .post("/auth/nonce", &json!({"walletAddress": wallet.address()}))
            .await;
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    pub(crate) async fn verify(&self, attempt: &Value) -> Response {
        self.post("/auth/verify", attempt).await
    }

    /// The whole way, as a client goes it.
    pub(crate) async fn sign_in(&self, wallet: &Wallet) -> TokenResponse {
        let nonce = self.nonce(wallet).await;
        let response = self.verify(&wallet.attempt(&nonce.message)).await;
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    pub(crate) async fn until_status(&self, path: &str, status: u16) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.get(path).await.status() != status {
            assert!(Instant::now() < deadline, "{path} never answered {status}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
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

/// The code of an answer that must be a problem.
pub(crate) async fn code(response: Response) -> &'static str {
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let problem: Problem = response.json().await.unwrap();
    assert!(!problem.request_id.is_empty());
    problem.code.as_str()
}

pub(crate) struct Wallet(pub(crate) SigningKey);

impl Wallet {
    pub(crate) fn new(number: u8) -> Self {
        Self(SigningKey::from_bytes(&[number; 32]))
    }

    pub(crate) fn address(&self) -> WalletAddress {
        WalletAddress::from_bytes(self.0.verifying_key().to_bytes())
    }

    pub(crate) fn sign(&self, message: &str) -> [u8; 64] {
        self.0.sign(message.as_bytes()).to_bytes()
    }

    /// A good body for `/auth/verify`.
    pub(crate) fn attempt(&self, message: &str) -> Value {
        json!({
            "walletAddress": self.address(),
            "message": message,
            "signature": bs58::encode(self.sign(message)).into_string(),
        })
    }
}

/// A verifier of another service, which has its keys from this one.
pub(crate) fn verifier(service: &Service) -> TokenVerifier {
    verifier_with(service, JwksPolicy::default())
}

/// [`verifier`] with other times.
pub(crate) fn verifier_with(service: &Service, policy: JwksPolicy) -> TokenVerifier {
    let jwks_url = format!("http://{}/.well-known/jwks.json", service.running.public);
    let config = TokenConfig::new(ISSUER, jwks_url);
    TokenVerifier::with_policy(config, policy).unwrap()
}
