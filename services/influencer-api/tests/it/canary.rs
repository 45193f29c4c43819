//! F71: secrets and personal data are driven through every route, and looked for wherever the service writes.

use crate::hostile_input::Everyone;
use crate::support::{Device, ISSUER, User, issuer, token};
use domain::WalletAddress;
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use serde_json::Value;
use testkit::hostile::{Caller as _, Walk, operations};
use testkit::leaks::{
    Canaries, Finding, assert_search_finds, in_stores, password, planted, watch_planted,
};
use testkit::program::{self, Program};
use testkit::{TestDb, TestRedis};
use uuid::Uuid;

const INGEST_SECRET: &str = "canary-ingest-secret-c0ffee";
const CLASSES: [&str; 8] = [
    "SIGN_IN",
    "NONCE_PER_WALLET",
    "SESSION",
    "READ",
    "WRITE",
    "REGISTRATION",
    "MONEY",
    "OPERATE",
];

async fn start(database_url: &str, redis_url: &str) -> Program {
    let mut command = program::command(env!("CARGO_BIN_EXE_influencer-api"));
    command.envs([
        ("TWIST_API__LISTEN", "127.0.0.1:0"),
        ("TWIST_API__OPS_LISTEN", "127.0.0.1:0"),
        ("TWIST_API__DATABASE__URL", database_url),
        ("TWIST_API__REDIS__URL", redis_url),
        ("TWIST_API__TOKEN__ISSUER", ISSUER),
        ("TWIST_API__TOKEN__JWKS_URL", &issuer().await),
        ("TWIST_API__INGEST__KEYS__EDGE1", INGEST_SECRET),
        ("TWIST_API__HTTP__TRUSTED_PROXIES", "127.0.0.1"),
        ("TWIST_LOG", "trace"),
    ]);
    for class in CLASSES {
        command.env(format!("TWIST_API__LIMITS__{class}__LIMIT"), "1000000");
    }
    Program::start(command)
}

/// A user with a device that is not registered yet.
async fn everyone(owner: &DatabaseConnection) -> Everyone {
    let (uid, key) = (Uuid::new_v4(), Device::new());
    let wallet = WalletAddress::from_bytes(key.0.verifying_key().to_bytes());
    let sql = format!(
        "INSERT INTO users (id) VALUES ('{uid}'); \
         INSERT INTO wallets (address, user_id) VALUES ('{wallet}', '{uid}')"
    );
    owner.execute_unprepared(&sql).await.unwrap();
    let user = User {
        uid,
        wallet,
        token: token(uid, wallet, |_| ()),
    };
    Everyone::new(user, Device::new(), INGEST_SECRET)
}

/// What a caller sends that is a secret of its own.
async fn watch_caller(canaries: &mut Canaries, everyone: &Everyone, document: &Value) {
    let parts: Vec<&str> = everyone.user.token.split('.').collect();
    canaries.watch("an access token's claims", parts[1]);
    canaries.watch("an access token's signature", parts[2]);
    canaries.watch("the secret of the edge", INGEST_SECRET);
    for operation in operations(document) {
        if operation.policy == "service" {
            let headers = everyone.headers(&operation, &operation.path, b"x").await;
            let (_, signature) = headers.last().unwrap();
            canaries.watch("a signature of the edge", signature);
        }
        if let Some(body) = everyone.body(&operation).await
            && let Some(proof) = body["proof"].as_str()
        {
            canaries.watch("a device's proof", proof);
            canaries.watch_bytes("a device's proof's bytes", &hex::decode(proof).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f71_nothing_private_is_in_logs_metrics_answers_the_database_or_redis() {
    let (db, store) = (TestDb::new().await, TestRedis::new().await);
    let program = start(&db.app_url, &store.url).await;
    let (url, ops) = program.ready().await;
    let owner = db.connect_as_owner().await;
    let everyone = everyone(&owner).await;
    let document = reqwest::get(format!("{url}/openapi.json")).await.unwrap();

    let mut canaries = Canaries::default();
    for (name, url) in [
        ("the database's password", &db.app_url),
        ("Redis' password", &store.url),
    ] {
        canaries.watch(name, password(url));
    }
    watch_caller(&mut canaries, &everyone, &document.json().await.unwrap()).await;
    let planted = planted();
    let walk = Walk::of(&url, &owner).await;
    let answers = walk.canaries(&everyone, &planted).await;
    assert!(answers.len() > 300, "only {} answers", answers.len());
    watch_planted(&mut canaries, &planted);

    let mut found: Vec<Finding> = Vec::new();
    for (what, text) in &answers {
        found.extend(canaries.find(what, text));
    }
    // An error repeats the path to whoever sent it; nothing else may.
    canaries.watch("a path", &planted.path);
    let metrics = reqwest::get(format!("{ops}/metrics")).await.unwrap();
    found.extend(canaries.find("metrics", &metrics.text().await.unwrap()));
    found.extend(in_stores(&canaries, &owner, &store.url).await);
    let log = program.stop();
    assert!(
        log.contains("\"message\":\"request begins\""),
        "nothing was logged in detail"
    );
    found.extend(canaries.find("logs", &log));
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));

    assert_search_finds(&canaries, &planted, &owner, &store.url).await;
}
