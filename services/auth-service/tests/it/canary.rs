//! F71: secrets and personal data are driven through every route, and looked for wherever the service writes.

use crate::hostile_input::{MAKE_OPERATORS, Operator};
use crate::process::{binary, with_settings};
use crate::world::Wallet;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use testkit::hostile::Walk;
use testkit::leaks::{
    Canaries, Finding, assert_search_finds, in_stores, password, planted, watch_planted,
};
use testkit::program::Program;
use testkit::{TestDb, TestRedis};

const SEALING_KEY: &str = "7e57c0de1f2e3d4c5b6a79887766554433221100ffeeddccbbaa998877665544";
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

/// The tokens of a sign-in, and what can be taken from them.
fn watch_tokens(canaries: &mut Canaries, tokens: &Value) {
    let access = tokens["accessToken"].as_str().unwrap();
    let parts: Vec<&str> = access.split('.').collect();
    canaries.watch("an access token's claims", parts[1]);
    canaries.watch("an access token's signature", parts[2]);
    let refresh = tokens["refreshToken"].as_str().unwrap();
    canaries.watch("a refresh token", refresh);
    let bytes = URL_SAFE_NO_PAD
        .decode(refresh.strip_prefix("twr_").unwrap())
        .unwrap();
    canaries.watch_bytes("a refresh token's bytes", &bytes);
    canaries.watch_bytes("a refresh token's MAC", &bytes[bytes.len() - 16..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn f71_nothing_private_is_in_logs_metrics_answers_the_database_or_redis() {
    let (db, store) = (TestDb::new().await, TestRedis::new().await);
    let mut command = binary();
    with_settings(&mut command, &db.app_url, &store.url);
    command
        .env("TWIST_AUTH__KEY_ENCRYPTION_KEY", SEALING_KEY)
        .env("TWIST_AUTH__HTTP__TRUSTED_PROXIES", "127.0.0.1");
    for class in CLASSES {
        command.env(format!("TWIST_AUTH__LIMITS__{class}__LIMIT"), "1000000");
    }
    let program = Program::start(command);
    let (url, ops) = program.ready().await;

    let mut canaries = Canaries::default();
    canaries.watch("the sealing key", SEALING_KEY);
    canaries.watch_bytes(
        "the sealing key's bytes",
        &hex::decode(SEALING_KEY).unwrap(),
    );
    for (name, url) in [
        ("the database's password", &db.app_url),
        ("Redis' password", &store.url),
    ] {
        canaries.watch(name, password(url));
    }
    // One who goes the whole way, with everything that is given and taken there.
    let operator = Operator::sign_in(&url, Wallet::new(71)).await;
    let attempt = operator.attempt().await;
    let signature = attempt["signature"].as_str().unwrap();
    canaries.watch("a wallet's signature", signature);
    canaries.watch_bytes(
        "a wallet's signature's bytes",
        &bs58::decode(signature).into_vec().unwrap(),
    );
    let first = operator.post("/auth/verify", &attempt).await;
    watch_tokens(&mut canaries, &first);
    let refresh = json!({ "refreshToken": first["refreshToken"] });
    let second = operator.post("/auth/refresh", &refresh).await;
    watch_tokens(&mut canaries, &second);

    let owner = db.connect_as_owner().await;
    owner.execute_unprepared(MAKE_OPERATORS).await.unwrap();
    let planted = planted();
    let walk = Walk::of(&url, &owner).await;
    let answers = walk.canaries(&operator, &planted).await;
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
