//! F71: secrets and personal data are driven through every route, and looked for wherever the service writes.

use crate::hostile_input::{MAKE_OPERATORS, Operator};
use crate::process::{Process, binary, read_lines, with_settings};
use crate::world::Wallet;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use serde_json::{Value, json};
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use testkit::hostile::{Planted, Walk};
use testkit::leaks::{Canaries, Finding, database, redis};
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

fn planted() -> Planted {
    let headers = [
        ("cookie", "canary-cookie-1c7e"),
        ("user-agent", "canary-user-agent-55aa"),
        ("x-forwarded-for", "203.0.113.197"),
        ("x-real-ip", "198.51.100.231"),
        ("forwarded", "for=192.0.2.177"),
        ("referer", "https://canary-referer-0b1d.example"),
        ("x-request-id", "canary request id 41d2"),
        ("x-api-key", "canary-api-key-93f0"),
    ];
    Planted {
        body: "canary-body-6d2f".to_owned(),
        path: "canary-path-e810".to_owned(),
        query: "canary-query-7b3a".to_owned(),
        credential: "canary-credential-2f90".to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    }
}

/// Everything of `planted` but the path.
fn watch_planted(canaries: &mut Canaries, planted: &Planted) {
    canaries.watch("a string of a body", &planted.body);
    canaries.watch("a query", &planted.query);
    canaries.watch("a credential", &planted.credential);
    for (name, value) in &planted.headers {
        let value = value.strip_prefix("for=").unwrap_or(value);
        canaries.watch(name, value);
    }
}

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
    let mut process = Process(
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let (lines, log) = read_lines(&mut process.0);
    let (url, ops) = addresses(&lines);
    until_ready(&url).await;

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
    found.extend(canaries.find("logs", &stop(process, log)));
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));

    plant_and_find(&canaries, &planted, &owner, &store.url).await;
}

async fn in_stores(canaries: &Canaries, owner: &DatabaseConnection, url: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (table, row) in database::contents(owner).await {
        found.extend(canaries.find(&table, &row));
    }
    for (key, value) in redis::contents(url).await {
        found.extend(canaries.find("redis", &format!("{key} {value}")));
    }
    found
}

/// The same look finds what is there: in a text, a JSON and a binary column, and in Redis.
async fn plant_and_find(
    canaries: &Canaries,
    planted: &Planted,
    owner: &DatabaseConnection,
    url: &str,
) {
    let Planted {
        body, query, path, ..
    } = planted;
    let sql = format!(
        "CREATE TABLE planted (a text, b jsonb, c bytea); \
         INSERT INTO planted VALUES ('{body}', '{{\"x\": [\"{query}\"]}}', convert_to('{path}', 'UTF8'))"
    );
    owner.execute_unprepared(&sql).await.unwrap();
    redis::set(url, "planted", &planted.credential).await;
    let found = in_stores(canaries, owner, url).await;
    let names: Vec<&str> = found.iter().map(|found| found.canary.as_str()).collect();
    for name in ["a string of a body", "a query", "a path", "a credential"] {
        assert!(names.contains(&name), "{name} is not found: {names:?}");
    }
}

fn password(url: &str) -> &str {
    let login = url.split_once("://").unwrap().1.split_once('@').unwrap().0;
    login.split_once(':').unwrap().1
}

fn addresses(lines: &mpsc::Receiver<String>) -> (String, String) {
    loop {
        let line = lines.recv_timeout(Duration::from_secs(20)).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        if line["message"] == "listening" {
            let at = |name: &str| format!("http://{}", line[name].as_str().unwrap());
            return (at("address"), at("ops_address"));
        }
    }
}

async fn until_ready(url: &str) {
    let until = tokio::time::Instant::now() + Duration::from_secs(20);
    while reqwest::get(format!("{url}/ready")).await.unwrap().status() != 200 {
        assert!(tokio::time::Instant::now() < until, "never ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Everything that the process wrote, once it has ended.
fn stop(mut process: Process, log: std::thread::JoinHandle<String>) -> String {
    let id = process.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    assert!(
        process.0.wait().unwrap().success(),
        "SIGTERM must end it cleanly"
    );
    let mut errors = String::new();
    process
        .0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    let log = log.join().unwrap();
    assert!(
        log.contains("\"message\":\"request begins\""),
        "nothing was logged in detail"
    );
    log + &errors
}
