//! A running service, an issuer of tokens, and people with devices.

use axum::Json;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use conformance::Watch;
use contracts::auth::{Jwk, Jwks};
use contracts::ingest::{AcceptedGroup, AcceptedItem, AcceptedVau, SegmentReceipt, SignedBatch};
use contracts::token::{AUDIENCE, AccessClaims, VERSION};
use contracts::vau::VauSubmission;
use domain::http_hmac::SignedRequest;
use domain::reward::{DeviceHistory, reward, trust_score};
use domain::vau::batch_canonical;
use domain::{DeviceId, EpochMs, Fingerprint, SiteId, WalletAddress, device};
use ed25519_dalek::{Signer, SigningKey};
use influencer_api::config::{IngestConfig, WebauthnConfig};
use influencer_api::{AppState, Config};
use reqwest::{Method, Response, StatusCode};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::{Value, json};
use service::access::RouteRule;
use service::auth::{AccessTokenSigner, TokenConfig};
use service::clock;
use service::config::{DatabaseConfig, HttpConfig, RedisConfig};
use service::limit::RateLimits;
use service::server::{Running, ServerConfig, start};
use std::time::{Duration, Instant};
use testkit::{OwnPostgres, OwnRedis, TestDb, TestRedis};
use uuid::Uuid;

pub(crate) const EDGE_SECRET: &str = "edge-secret-of-the-tests";
pub(crate) const ISSUER: &str = "https://auth.test.example";
const SEED: [u8; 32] = [42; 32];
const NEXT_SEED: [u8; 32] = [43; 32];

pub(crate) struct Api {
    pub(crate) db: DatabaseConnection,
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
    /// The authorisation table.
    pub(crate) rules: Vec<RouteRule>,
    kept: Kept,
}

impl Api {
    pub(crate) async fn new() -> Self {
        Self::with_limits(RateLimits::per_minute(100_000)).await
    }

    pub(crate) async fn with_limits(limits: RateLimits) -> Self {
        let (test, redis) = (TestDb::new().await, TestRedis::new().await);
        let (database_url, redis_url) = (test.app_url.clone(), redis.url.clone());
        Self::start(&database_url, &redis_url, limits, Some((test, redis))).await
    }

    /// On servers that belong to the test, with limits that are out of the way.
    pub(crate) async fn on_own(postgres: &OwnPostgres, redis: &OwnRedis) -> Self {
        let limits = RateLimits::per_minute(100_000);
        Self::on(&postgres.app_url, &redis.url, limits).await
    }

    /// On servers that belong to the test.
    pub(crate) async fn on(database_url: &str, redis_url: &str, limits: RateLimits) -> Self {
        Self::start(database_url, redis_url, limits, None).await
    }

    async fn start(
        database_url: &str,
        redis_url: &str,
        limits: RateLimits,
        servers: Option<(TestDb, TestRedis)>,
    ) -> Self {
        let loopback = || std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let config = Config {
            listen: loopback(),
            ops_listen: loopback(),
            database: DatabaseConfig {
                url: database_url.to_owned().into(),
                max_connections: 10,
                acquire_timeout_ms: 2_000,
                statement_timeout_ms: 5_000,
            },
            redis: RedisConfig {
                url: redis_url.to_owned().into(),
                command_timeout_ms: 1_000,
            },
            token: TokenConfig::new(ISSUER, issuer().await),
            ingest: IngestConfig {
                keys: [("edge1".to_owned(), EDGE_SECRET.to_owned().into())].into(),
            },
            webauthn: WebauthnConfig {
                rp_id: crate::credentials::RP_ID.to_owned(),
                origins: vec![crate::credentials::ORIGIN.to_owned()],
                require_user_verification: false,
            },
            http: HttpConfig::default(),
            limits,
        };
        let state = AppState::new(&config).await.unwrap();
        let app = influencer_api::app(&state, None);
        let watch = Watch::of(app.openapi());
        let app = app.around(watch.wrap());
        let rules = app.rules().to_vec();
        let running = start(app, ServerConfig::new(config.listeners()))
            .await
            .unwrap();
        let url = format!("http://{}", running.public);
        let ready = async || reqwest::get(format!("{url}/ready")).await.unwrap().status() == 200;
        let start = Instant::now();
        while !ready().await {
            assert!(
                start.elapsed().as_secs() < 20,
                "the service does not become ready"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self {
            db: state.db,
            url,
            http: reqwest::Client::new(),
            rules,
            kept: Kept {
                _running: running,
                _watch: watch,
                servers,
            },
        }
    }

    /// A user who signed in once.
    pub(crate) async fn user(&self) -> User {
        let (uid, wallet) = (Uuid::new_v4(), WalletAddress::from_bytes(random()));
        let sql = format!(
            "INSERT INTO users (id) VALUES ('{uid}'); \
             INSERT INTO wallets (address, user_id) VALUES ('{wallet}', '{uid}')"
        );
        self.db.execute_unprepared(&sql).await.unwrap();
        User {
            uid,
            wallet,
            token: token(uid, wallet, |_| ()),
        }
    }

    /// Logs in as the owner of the tables.
    pub(crate) fn owner_url(&self) -> String {
        let (test, _) = self.kept.servers.as_ref().unwrap();
        test.owner_url.clone()
    }

    /// Where this service works: the database and Redis.
    pub(crate) fn stores(&self) -> (String, String) {
        let (test, redis) = self.kept.servers.as_ref().unwrap();
        (test.app_url.clone(), redis.url.clone())
    }

    /// Runs `sql` as the owner of the tables.
    pub(crate) async fn as_owner(&self, sql: &str) {
        let (test, _) = self.kept.servers.as_ref().unwrap();
        let owner = sea_orm::Database::connect(&test.owner_url).await.unwrap();
        owner.execute_unprepared(sql).await.unwrap();
        owner.close().await.unwrap();
    }

    /// Ends `session` of `user`, as auth-service does: in the database.
    pub(crate) async fn end_session(&self, user: &User, session: Uuid) {
        let sql = format!(
            "INSERT INTO sessions (id, user_id, wallet_address, expires_at, revoked_at) VALUES \
             ('{session}', '{}', '{}', now() + interval '1 day', now())",
            user.uid, user.wallet
        );
        self.db.execute_unprepared(&sql).await.unwrap();
    }

    /// Waits until `path` refuses `token`; two seconds are promised. Says how long it took.
    pub(crate) async fn until_refused(&self, path: &str, token: &str) -> Duration {
        let start = Instant::now();
        while self.get(path, token).await.status() != StatusCode::UNAUTHORIZED {
            assert!(start.elapsed() < Duration::from_secs(2), "still admitted");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        start.elapsed()
    }

    /// A user with one registered device.
    pub(crate) async fn user_with_device(&self) -> (User, Device) {
        let (user, device) = (self.user().await, Device::new());
        let response = self
            .post("/devices", &user.token, &device.registration(&user))
            .await;
        assert_eq!(response.status(), StatusCode::CREATED);
        (user, device)
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Response {
        self.http
            .get(format!("{}{path}", self.url))
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> Response {
        let request = self
            .http
            .post(format!("{}{path}", self.url))
            .bearer_auth(token);
        request.json(body).send().await.unwrap()
    }

    /// A request signed as the edge signs.
    pub(crate) async fn signed(&self, method: Method, path: &str, body: Vec<u8>) -> Response {
        let timestamp = clock::now_ms();
        let request = SignedRequest {
            method: method.as_str(),
            path,
            timestamp,
            body: &body,
        };
        let signature = request.sign(EDGE_SECRET.as_bytes());
        self.http
            .request(method, format!("{}{path}", self.url))
            .header("x-key-id", "edge1")
            .header("x-timestamp", timestamp.to_string())
            .header("x-hmac-signature", signature)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn deliver_raw(&self, segment: &Value) -> Response {
        let body = serde_json::to_vec(segment).unwrap();
        self.signed(Method::POST, "/internal/v1/vau-batches", body)
            .await
    }

    /// Delivers a segment that must be taken.
    pub(crate) async fn deliver(&self, segment_id: Uuid, items: Vec<Value>) -> SegmentReceipt {
        let response = self.deliver_raw(&segment(segment_id, &items)).await;
        assert_eq!(
            response.status(),
            StatusCode::OK,
            "{}",
            response.text().await.unwrap()
        );
        response.json().await.unwrap()
    }

    pub(crate) async fn balance(&self, user: &User) -> u64 {
        let body: Value = self
            .get("/me/balance", &user.token)
            .await
            .json()
            .await
            .unwrap();
        body["available"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) AS n FROM {table}");
        let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
        self.db
            .query_one_raw(statement)
            .await
            .unwrap()
            .unwrap()
            .try_get("", "n")
            .unwrap()
    }

    pub(crate) async fn assert_sound(&self) {
        testkit::assert_ledger_invariants(&self.db).await;
    }
}

/// What has to live as long as the service.
struct Kept {
    _running: Running,
    /// Fails the test when an answer is not as documented.
    _watch: Watch,
    servers: Option<(TestDb, TestRedis)>,
}

pub(crate) struct User {
    pub(crate) uid: Uuid,
    pub(crate) wallet: WalletAddress,
    pub(crate) token: String,
}

#[derive(Clone)]
pub(crate) struct Device(pub(crate) SigningKey);

impl Device {
    pub(crate) fn new() -> Self {
        Self(SigningKey::from_bytes(&random()))
    }

    pub(crate) fn id(&self) -> DeviceId {
        DeviceId::from_bytes(self.0.verifying_key().to_bytes())
    }

    pub(crate) fn registration(&self, user: &User) -> Value {
        self.registration_at(&user.wallet, clock::now_ms())
    }

    pub(crate) fn registration_at(&self, wallet: &WalletAddress, issued_at: EpochMs) -> Value {
        let bytes = device::registration_canonical(wallet, &self.id(), issued_at);
        json!({
            "deviceId": self.id(),
            "issuedAt": issued_at,
            "proof": hex::encode(self.0.sign(&bytes).to_bytes()),
        })
    }

    /// The `n`th VAU of this device, as the edge would have accepted it.
    pub(crate) fn accepted(&self, user: &User, n: u64, payload: &str) -> AcceptedVau {
        let mut vau = VauSubmission {
            user_id: user.wallet,
            device_id: self.id(),
            site_id: SiteId::try_from("site-news").unwrap(),
            timestamp: EpochMs::new(1_767_225_600_000 + n).unwrap(),
            payload: payload.to_owned(),
            signature: String::new(),
            attestation: None,
        };
        vau.signature = hex::encode(self.0.sign(&vau.signed_fields().canonical()).to_bytes());
        let device = DeviceHistory {
            attestations: 0,
            vau_count: 0,
            since_last_ms: None,
            anomalies: 0,
        };
        let trust_score = trust_score(&device);
        AcceptedVau {
            vau_id: vau.signed_fields().id(),
            fingerprint: vau.signed_fields().fingerprint(),
            vau,
            accepted_at: clock::now_ms(),
            device,
            trust_score,
            earned: reward(trust_score),
        }
    }

    /// VAUs of this device in one request, as the edge would have accepted them: each signed, or all under a seal.
    pub(crate) fn group(&self, user: &User, ns: &[u64], sealed: bool) -> AcceptedGroup {
        let accepted: Vec<AcceptedVau> = ns.iter().map(|n| self.accepted(user, *n, "{}")).collect();
        let history = accepted[0].device;
        let prints: Vec<_> = accepted.iter().map(|vau| vau.fingerprint).collect();
        let submitted_at = accepted[0].accepted_at;
        let item = |(index, vau): (u32, &AcceptedVau)| AcceptedItem {
            index,
            site_id: vau.vau.site_id.clone(),
            timestamp: vau.vau.timestamp,
            payload: vau.vau.payload.clone(),
            attestation: None,
            signature: (!sealed).then(|| vau.vau.signature.clone()),
            earned: reward(trust_score(&history.later(index))),
        };
        AcceptedGroup {
            user_id: user.wallet,
            device_id: self.id(),
            accepted_at: submitted_at,
            device: history,
            batch: sealed.then(|| SignedBatch {
                batch_id: "batch".to_owned(),
                submitted_at,
                signature: self.seal(submitted_at, &prints),
                others: Vec::new(),
            }),
            items: (0u32..).zip(&accepted).map(item).collect(),
        }
    }

    /// The signature over a batch.
    pub(crate) fn seal(&self, submitted_at: EpochMs, prints: &[Fingerprint]) -> String {
        let bytes = batch_canonical("batch", submitted_at, prints);
        hex::encode(self.0.sign(&bytes).to_bytes())
    }

    pub(crate) fn item(&self, user: &User, n: u64) -> Value {
        serde_json::to_value(self.accepted(user, n, "{}")).unwrap()
    }
}

pub(crate) fn segment(segment_id: Uuid, items: &[Value]) -> Value {
    json!({ "version": 1, "segmentId": segment_id, "shard": "0", "items": items })
}

/// A token of the issuer, with claims that a test may change.
pub(crate) fn token(
    uid: Uuid,
    wallet: WalletAddress,
    change: impl FnOnce(&mut AccessClaims),
) -> String {
    let now = clock::now_seconds();
    let mut claims = AccessClaims {
        iss: ISSUER.into(),
        aud: AUDIENCE.into(),
        sub: wallet,
        wallet_address: wallet,
        uid,
        sid: Uuid::new_v4(),
        jti: Uuid::new_v4(),
        iat: now,
        nbf: now,
        exp: now + 900,
        ver: VERSION,
        roles: vec![],
        influencer_id: None,
    };
    change(&mut claims);
    AccessTokenSigner::new("k1", &SEED).sign(&claims).unwrap()
}

/// What the issuer gives for `token` after its key was replaced: the same claims, signed by the next key.
pub(crate) fn signed_by_the_next_key(token: &str) -> String {
    let payload = token.split('.').nth(1).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: AccessClaims = serde_json::from_slice(&claims).unwrap();
    AccessTokenSigner::new("k2", &NEXT_SEED)
        .sign(&claims)
        .unwrap()
}

/// The code of an error answer, after checking that it is a whole problem.
pub(crate) async fn problem(response: Response, status: u16) -> String {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let header = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["success"], false);
    assert_eq!(body["status"], status);
    assert_eq!(body["requestId"], header);
    body["code"].as_str().unwrap().to_owned()
}

/// Serves the issuer's keys and returns where.
pub(crate) async fn issuer() -> String {
    let key = |kid: &str, seed: &[u8; 32]| Jwk {
        kty: "OKP".into(),
        crv: "Ed25519".into(),
        x: URL_SAFE_NO_PAD.encode(SigningKey::from_bytes(seed).verifying_key()),
        kid: kid.into(),
        use_: "sig".into(),
        alg: "EdDSA".into(),
    };
    let keys = Jwks {
        keys: vec![key("k1", &SEED), key("k2", &NEXT_SEED)],
    };
    let router = axum::Router::new().route("/jwks.json", get(async move || Json(keys.clone())));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    bytes[16..].copy_from_slice(Uuid::new_v4().as_bytes());
    bytes
}
