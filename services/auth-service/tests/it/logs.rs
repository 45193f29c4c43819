//! The real binary: what it logs, what it refuses to start with, how it stops.

use crate::process::{binary, with_settings};
use crate::world::Wallet;
use contracts::auth::{NonceResponse, TokenResponse};
use reqwest::RequestBuilder;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::io::Read as _;
use std::process::{Command, Stdio};
use testkit::program::Program;
use testkit::{TestDb, TestRedis};

async fn asked<T: DeserializeOwned>(request: RequestBuilder) -> T {
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn no_secret_reaches_the_logs_at_any_level() {
    let (db, redis) = (TestDb::new().await, TestRedis::new().await);
    let mut command = binary();
    with_settings(&mut command, &db.app_url, &redis.url);
    let program = Program::start(command);
    let (address, _) = program.ready().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let wallet = Wallet::new(1);
    let body = json!({"walletAddress": wallet.address()});
    let nonce: NonceResponse = asked(http.post(format!("{address}/auth/nonce")).json(&body)).await;
    let attempt = wallet.attempt(&nonce.message);
    let token: TokenResponse = http
        .post(format!("{address}/auth/verify?query=canary-query"))
        .header("x-request-id", "request-id-1234")
        .bearer_auth("canary-bearer")
        .header("cookie", "canary-cookie")
        .json(&attempt)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let body = json!({"refreshToken": token.refresh_token});
    let next: TokenResponse = asked(http.post(format!("{address}/auth/refresh")).json(&body)).await;
    http.get(format!("{address}/canary-path"))
        .send()
        .await
        .unwrap();
    http.post(format!("{address}/auth/verify"))
        .json(&json!({"canary-field": "canary-value"}))
        .send()
        .await
        .unwrap();

    let log = program.stop();
    let signature = attempt["signature"].as_str().unwrap();
    let parts: Vec<&str> = token.access_token.split('.').collect();
    let password = db.app_url.split(['/', ':', '@']).nth(4).unwrap().to_owned();
    assert!(password.len() >= 8, "the test looks for the wrong thing");
    let key = "ab".repeat(32);
    for secret in [
        signature,
        parts[1],
        parts[2],
        &password,
        &key,
        &nonce.nonce,
        &nonce.message,
        &token.refresh_token[4..],
        &next.refresh_token[4..],
    ] {
        assert!(!log.contains(secret), "logged: {secret}");
    }
    assert!(!log.contains("canary"), "{log}");

    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let request = lines
        .iter()
        .find(|line| line["request_id"] == "request-id-1234" && line["message"] == "request")
        .expect("the request is logged");
    assert_eq!(request["route"], "/auth/verify");
    assert_eq!(request["status"], 200);
    assert_eq!(request["service"], "auth-service");
    assert!(
        lines
            .iter()
            .any(|line| line["message"] == "signed in" && line["request_id"] == "request-id-1234")
    );
}

#[test]
fn a_configuration_that_is_wrong_is_refused_with_one_line_that_names_it() {
    let good = |command: &mut Command| {
        with_settings(
            command,
            "postgres://nobody@127.0.0.1:1/x",
            "redis://127.0.0.1:1",
        );
    };
    let mut fine = binary();
    good(&mut fine);
    assert!(fine.arg("check-config").output().unwrap().status.success());
    for (name, value, says) in [
        (
            "TWIST_AUTH__KEY_ENCRYPTION_KEY",
            "canary",
            "KEY_ENCRYPTION_KEY",
        ),
        ("TWIST_AUTH__NONCE_TTL_SECONDS", "0", "NONCE_TTL_SECONDS"),
        ("TWIST_AUTH__NONCE_TTL", "5", "nonce_ttl"),
        ("TWIST_AUTH__LISTEN", "nowhere", "LISTEN"),
        ("TWIST_AUTH__ISSUER", "auth.example", "ISSUER"),
        ("TWIST_AUTH__STATEMENT", "two\nlines", "STATEMENT"),
        ("TWIST_REVISION", "canary", "TWIST_REVISION"),
    ] {
        let mut command = binary();
        good(&mut command);
        let mut process = command
            .env(name, value)
            .arg("check-config")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut text = String::new();
        process
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert!(!process.wait().unwrap().success(), "{name}");
        assert!(text.contains(says), "{name}: {text}");
        assert_eq!(text.trim_end().lines().count(), 1, "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}
