//! F71: secrets and personal data are driven through every route, and looked for wherever the service writes.

use crate::hostile_input::Everyone;
use crate::support::{Device, ISSUER, User, issuer, token};
use domain::WalletAddress;
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use testkit::hostile::{Caller as _, Planted, Walk, operations};
use testkit::leaks::{Canaries, Finding, database, redis};
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

/// The real program. Ended when a test fails in the middle.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn spawn(database_url: &str, redis_url: &str) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_influencer-api"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TWIST_") {
            command.env_remove(name);
        }
    }
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
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Process(piped.spawn().unwrap())
}

/// Lines as they come, and at the end all of them.
fn read_lines(process: &mut Child) -> (mpsc::Receiver<String>, JoinHandle<String>) {
    let output = BufReader::new(process.stdout.take().unwrap());
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut all = String::new();
        for line in output.lines().map_while(Result::ok) {
            all.push_str(&line);
            all.push('\n');
            let _ = sender.send(line);
        }
        all
    });
    (receiver, reader)
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
    let mut process = spawn(&db.app_url, &store.url).await;
    let (lines, log) = read_lines(&mut process.0);
    let (url, ops) = addresses(&lines);
    until_ready(&url).await;
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
fn stop(mut process: Process, log: JoinHandle<String>) -> String {
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
