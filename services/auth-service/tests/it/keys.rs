//! Signing keys.

use crate::world::{ISSUER, Service, Wallet, World, config};
use contracts::auth::Jwks;
use contracts::health::Readiness;
use sea_orm::ConnectionTrait as _;
use service::auth::{TokenConfig, TokenVerifier};
use std::time::Duration;
use testkit::{TestDb, TestRedis};
use tokio::time::Instant;

async fn jwks(service: &Service) -> Jwks {
    let response = service.get("/.well-known/jwks.json").await;
    assert_eq!(response.headers()["cache-control"], "public, max-age=300");
    response.json().await.unwrap()
}

fn verifier(service: &Service) -> TokenVerifier {
    let jwks_url = format!("http://{}/.well-known/jwks.json", service.running.public);
    TokenVerifier::new(TokenConfig {
        issuer: ISSUER.to_owned(),
        jwks_url,
    })
    .unwrap()
}

#[tokio::test]
async fn instances_that_start_at_once_share_one_key() {
    let (db, redis) = (TestDb::new().await, TestRedis::new().await);
    let settings = config(&db.app_url, &redis.url);
    let (a, b, c) = tokio::join!(
        Service::start(&settings),
        Service::start(&settings),
        Service::start(&settings)
    );
    let keys = jwks(&a).await.keys;
    assert_eq!(keys.len(), 1);
    assert_eq!(keys, jwks(&b).await.keys);
    assert_eq!(keys, jwks(&c).await.keys);
    // A nonce of one, a token of another, believed with the keys of the third.
    let wallet = Wallet::new(1);
    let message = a.nonce(&wallet).await.message;
    let token: contracts::auth::TokenResponse = b
        .verify(&wallet.attempt(&message))
        .await
        .json()
        .await
        .unwrap();
    assert!(verifier(&c).verify(&token.access_token).await.is_ok());
}

#[tokio::test]
async fn a_key_outlives_its_instance_and_is_sealed_in_the_database() {
    let world = World::start().await;
    let before = jwks(&world.service).await.keys;
    let token = world.service.sign_in(&Wallet::new(1)).await;
    let again = Service::start(&config(&world.db.app_url, &world.redis.url)).await;
    assert_eq!(jwks(&again).await.keys, before);
    assert!(verifier(&again).verify(&token.access_token).await.is_ok());
    let sealed = "SELECT length(sealed_private_key)::bigint FROM signing_keys";
    assert_eq!(world.number(sealed).await, 24 + 32 + 16);
}

#[tokio::test]
async fn a_wrong_sealing_key_does_not_make_new_keys() {
    let world = World::start().await;
    let mut settings = config(&world.db.app_url, &world.redis.url);
    settings.key_encryption_key = "cd".repeat(32).into();
    let other = Service::start_unready(&settings).await;
    other.until_status("/.well-known/jwks.json", 503).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let ready = other.get("/ready").await;
        assert_eq!(ready.status(), 503);
        let ready: Readiness = ready.json().await.unwrap();
        let checks: Vec<_> = ready
            .checks
            .iter()
            .map(|c| (c.name.as_str(), c.ok))
            .collect();
        // Redis is connected to in the background.
        if checks == [("postgres", true), ("redis", true), ("keys", false)] {
            break;
        }
        assert!(Instant::now() < deadline, "{checks:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(world.number("SELECT count(*) FROM signing_keys").await, 1);
}

#[tokio::test]
async fn keys_are_published_before_and_after_they_sign_and_never_when_retired() {
    let world = World::start_with(|config| config.key_refresh_seconds = 0).await;
    let sql = "INSERT INTO signing_keys (kid, public_key, sealed_private_key, state) SELECT state, \
               decode(repeat(lpad(n::text, 2, '0'), 32), 'hex'), '', state FROM \
               (VALUES ('announced', 1), ('retiring', 2), ('retired', 3)) AS made (state, n)";
    world.database.execute_unprepared(sql).await.unwrap();
    // The running instance sees them.
    let kids: Vec<_> = jwks(&world.service)
        .await
        .keys
        .into_iter()
        .map(|key| key.kid)
        .collect();
    assert_eq!(kids.len(), 3);
    assert!(kids.contains(&"announced".to_owned()) && kids.contains(&"retiring".to_owned()));
    let token = world.service.sign_in(&Wallet::new(1)).await;
    assert!(
        verifier(&world.service)
            .verify(&token.access_token)
            .await
            .is_ok()
    );
}
