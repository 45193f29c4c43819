//! Signing keys.

use crate::world::{Service, Wallet, World, config, verifier};
use contracts::auth::Jwks;
use contracts::health::Readiness;
use sea_orm::ConnectionTrait as _;
use std::time::Duration;
use testkit::{TestDb, TestRedis};
use tokio::time::Instant;

pub(crate) async fn jwks(service: &Service) -> Jwks {
    let response = service.get("/.well-known/jwks.json").await;
    assert_eq!(response.headers()["cache-control"], "public, max-age=300");
    response.json().await.unwrap()
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
        if checks[..3] == [("postgres", true), ("redis", true), ("keys", false)] {
            break;
        }
        assert!(Instant::now() < deadline, "{checks:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(world.number("SELECT count(*) FROM signing_keys").await, 1);
}

pub(crate) async fn kids(service: &Service) -> Vec<String> {
    jwks(service)
        .await
        .keys
        .into_iter()
        .map(|key| key.kid)
        .collect()
}

#[tokio::test]
async fn keys_are_published_before_and_after_they_sign_and_never_when_retired() {
    let world = World::start_with(|config| config.key_refresh_seconds = 0).await;
    let old = kids(&world.service).await.remove(0);
    let token = world.service.sign_in(&Wallet::new(1)).await;
    let put = async |state: &str| {
        let sql = format!("UPDATE signing_keys SET state = '{state}' WHERE kid = '{old}'");
        world.database.execute_unprepared(&sql).await.unwrap();
    };
    // Without an active key the running instance makes a new one; the old one's tokens stay good.
    put("retiring").await;
    let both = kids(&world.service).await;
    assert_eq!(both.len(), 2);
    assert!(both.contains(&old));
    assert!(
        verifier(&world.service)
            .verify(&token.access_token)
            .await
            .is_ok()
    );
    let newer = world.service.sign_in(&Wallet::new(1)).await;
    assert!(
        verifier(&world.service)
            .verify(&newer.access_token)
            .await
            .is_ok()
    );
    put("announced").await;
    assert_eq!(kids(&world.service).await.len(), 2);
    put("retired").await;
    let one = kids(&world.service).await;
    assert_eq!(one.len(), 1);
    assert!(!one.contains(&old));
    assert!(
        verifier(&world.service)
            .verify(&token.access_token)
            .await
            .is_err()
    );
}

/// Other services may write to the same database. A public key in the table is not enough to be believed.
#[tokio::test]
async fn a_key_that_was_only_written_into_the_table_is_never_published() {
    let world = World::start_with(|config| config.key_refresh_seconds = 0).await;
    let ours = kids(&world.service).await;
    for forged in [
        "SELECT 'evil1', decode(repeat('11', 32), 'hex'), '', 'announced'",
        "SELECT 'evil2', decode(repeat('22', 32), 'hex'), sealed_private_key, 'retiring' FROM signing_keys",
        "SELECT 'evil3', public_key, sealed_private_key, 'announced' FROM signing_keys WHERE state = 'active'",
    ] {
        let sql = format!(
            "INSERT INTO signing_keys (kid, public_key, sealed_private_key, state) {forged} LIMIT 1"
        );
        world.database.execute_unprepared(&sql).await.unwrap();
    }
    assert_eq!(kids(&world.service).await, ours);
    world.service.sign_in(&Wallet::new(1)).await;
}

#[tokio::test]
async fn a_verifier_that_has_the_keys_is_told_so_in_few_bytes() {
    let world = World::start_with(|config| config.key_refresh_seconds = 0).await;
    let first = world.service.get("/.well-known/jwks.json").await;
    let etag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() == 45);
    let url = format!(
        "http://{}/.well-known/jwks.json",
        world.service.running.public
    );
    let again = async |tag: &str| {
        let request = world.service.http.get(&url).header("if-none-match", tag);
        request.send().await.unwrap()
    };
    for tag in [&etag, &format!("W/{etag}"), &format!("\"x\", {etag}"), "*"] {
        let unchanged = again(tag).await;
        assert_eq!(unchanged.status(), 304, "{tag}");
        assert_eq!(unchanged.headers()["etag"], *etag);
        assert_eq!(unchanged.headers()["cache-control"], "public, max-age=300");
        assert_eq!(unchanged.bytes().await.unwrap().len(), 0);
    }
    assert_eq!(again("\"x\"").await.status(), 200);
    let announced = "INSERT INTO signing_keys (kid, public_key, sealed_private_key, state) \
                     SELECT 'x', public_key, sealed_private_key, 'announced' FROM signing_keys";
    world.database.execute_unprepared(announced).await.unwrap();
    // That one is not ours, so nothing changes.
    assert_eq!(again(&etag).await.status(), 304);
    let retiring = "UPDATE signing_keys SET state = 'retiring' WHERE state = 'active'";
    world.database.execute_unprepared(retiring).await.unwrap();
    let changed = again(&etag).await;
    assert_eq!(changed.status(), 200);
    assert_ne!(changed.headers()["etag"], *etag);
}
