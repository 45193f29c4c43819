//! Postgres or Redis away: 503, nothing written, and well again by itself.

use crate::world::{Service, Wallet, code, config};
use contracts::auth::TokenResponse;
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::{OwnPostgres, OwnRedis, TestDb, TestRedis};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test]
async fn without_redis_nobody_signs_in_and_afterwards_everybody_does() {
    let (db, redis) = (TestDb::new().await, OwnRedis::new().await);
    let service = Service::start(&config(&db.app_url, &redis.url)).await;
    let wallet = Wallet::new(1);
    let token = service.sign_in(&wallet).await;
    let attempt = wallet.attempt(&service.nonce(&wallet).await.message);

    redis.kill().await;
    service.until_status("/ready", 503).await;
    let asked = Instant::now();
    let refused = service
        .post("/auth/nonce", &json!({"walletAddress": wallet.address()}))
        .await;
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(code(refused).await, "dependency.unavailable");
    assert_eq!(
        code(service.verify(&attempt).await).await,
        "dependency.unavailable"
    );
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "answers must not wait for Redis"
    );
    assert_eq!(service.get("/health").await.status(), 200);
    assert_eq!(service.get("/.well-known/jwks.json").await.status(), 200);
    // Who is signed in stays so, and can end it.
    let next = service.refresh(&token.refresh_token).await;
    assert_eq!(next.status(), 200);
    let next: TokenResponse = next.json().await.unwrap();
    let list = service
        .call(Method::GET, "/auth/sessions", &next.access_token)
        .await;
    assert_eq!(list.status(), 200);
    let out = service
        .call(Method::POST, "/auth/logout", &next.access_token)
        .await;
    assert_eq!(out.status(), 204);

    redis.start().await;
    service.until_status("/ready", 200).await;
    service.sign_in(&wallet).await;
}

#[tokio::test]
async fn a_redis_that_hangs_holds_up_nobody() {
    let (db, redis) = (TestDb::new().await, OwnRedis::new().await);
    let service = Service::start(&config(&db.app_url, &redis.url)).await;
    let wallet = Wallet::new(1);
    service.sign_in(&wallet).await;
    pause(&redis, 7_000).await;
    for _ in 0..2 {
        let asked = Instant::now();
        let body = json!({"walletAddress": wallet.address()});
        assert_eq!(
            code(service.post("/auth/nonce", &body).await).await,
            "dependency.unavailable"
        );
        // A second each for the limit and for the nonce.
        assert!(
            asked.elapsed() < Duration::from_millis(2_800),
            "{:?}",
            asked.elapsed()
        );
    }
    service.until_status("/ready", 200).await;
    service.sign_in(&wallet).await;
}

/// Makes Redis accept everything and answer nothing for a while.
async fn pause(redis: &OwnRedis, ms: u32) {
    let password = redis.url.split([':', '@']).nth(2).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", redis.port()))
        .await
        .unwrap();
    let commands = format!("AUTH {password}\r\nCLIENT PAUSE {ms} ALL\r\n");
    stream.write_all(commands.as_bytes()).await.unwrap();
    let mut answer = [0; 10];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"+OK\r\n+OK\r\n");
}

#[tokio::test]
async fn without_postgres_nobody_signs_in_and_afterwards_everybody_does() {
    let (postgres, redis) = (OwnPostgres::new().await, TestRedis::new().await);
    let mut settings = config(&postgres.app_url, &redis.url);
    settings.key_refresh_seconds = 0;
    let service = Service::start(&settings).await;
    let wallet = Wallet::new(1);
    service.sign_in(&wallet).await;

    postgres.stop().await;
    service.until_status("/ready", 503).await;
    let attempt = wallet.attempt(&service.nonce(&wallet).await.message);
    let refused = service.verify(&attempt).await;
    assert_eq!(refused.status(), 503);
    assert_eq!(code(refused).await, "dependency.unavailable");
    // Verifiers still get the keys: tokens that are out stay good.
    assert_eq!(service.get("/.well-known/jwks.json").await.status(), 200);

    postgres.start().await;
    service.until_status("/ready", 200).await;
    for _ in 0..20 {
        service.sign_in(&wallet).await;
    }
}

#[tokio::test]
async fn a_service_that_starts_before_its_databases_waits_for_them() {
    let (postgres, redis) = (OwnPostgres::new().await, OwnRedis::new().await);
    postgres.stop().await;
    redis.stop().await;
    let service = Service::start_unready(&config(&postgres.app_url, &redis.url)).await;
    assert_eq!(service.get("/health").await.status(), 200);
    assert_eq!(service.get("/ready").await.status(), 503);
    assert_eq!(
        code(service.get("/.well-known/jwks.json").await).await,
        "dependency.unavailable"
    );
    redis.start().await;
    postgres.start().await;
    service.until_status("/ready", 200).await;
    service.sign_in(&Wallet::new(1)).await;
}
