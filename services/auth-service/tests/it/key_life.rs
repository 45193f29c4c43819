//! Signing keys through their life, on two instances, while tokens are issued and believed all the time.

use crate::key_program::done;
use crate::keys::kids;
use crate::world::{Service, Wallet, World, verifier_with};
use contracts::auth::TokenResponse;
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use service::auth::JwksPolicy;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Keys as in production, but a hundred times as fast.
const QUICK: [(&str, &str); 4] = [
    ("TWIST_AUTH__KEY_ANNOUNCE_SECONDS", "4"),
    ("TWIST_AUTH__KEY_REFRESH_SECONDS", "1"),
    ("TWIST_AUTH__VERIFIER_MAX_AGE_SECONDS", "1"),
    ("TWIST_AUTH__ACCESS_TTL_SECONDS", "5"),
];

async fn quick() -> (World, Service) {
    let change = |config: &mut auth_service::Config| {
        config.key_announce_seconds = 4;
        config.key_refresh_seconds = 1;
        config.verifier_max_age_seconds = 1;
        config.access_ttl_seconds = 5;
    };
    let world = World::start_with(change).await;
    let mut settings = crate::world::config(&world.db.app_url, &world.redis.url);
    change(&mut settings);
    let other = Service::start(&settings).await;
    (world, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn f59_while_keys_rotate_no_good_token_is_refused_anywhere() {
    let (world, other) = quick().await;
    let policy = JwksPolicy {
        max_age: Duration::from_secs(1),
        min_interval: Duration::from_millis(200),
        ..JwksPolicy::default()
    };
    let verifiers = Arc::new([
        verifier_with(&world.service, policy),
        verifier_with(&other, policy),
    ]);
    let pair = Arc::new((world, other));
    let (stop, believed) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..4u8 {
        let (pair, verifiers) = (pair.clone(), verifiers.clone());
        let (stop, believed) = (stop.clone(), believed.clone());
        let mut token = pair.0.service.sign_in(&Wallet::new(number + 1)).await;
        clients.spawn(async move {
            let services = [&pair.0.service, &pair.1];
            let mut turn = usize::from(number);
            while !stop.load(Ordering::Relaxed) {
                turn += 1;
                let response = services[turn % 2].refresh(&token.refresh_token).await;
                assert_eq!(response.status(), 200);
                token = response.json::<TokenResponse>().await.unwrap();
                for at in 0..2 {
                    let verdict = verifiers[at].verify(&token.access_token).await;
                    assert!(verdict.is_ok(), "verifier {at}: {verdict:?}");
                    let response = services[at]
                        .call(Method::GET, "/auth/sessions", &token.access_token)
                        .await;
                    assert_eq!(response.status(), 200, "instance {at}");
                    believed.fetch_add(2, Ordering::Relaxed);
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }
    let world = &pair.0;
    let active = "SELECT kid FROM signing_keys WHERE state = 'active'";
    for _ in 0..2 {
        let old = world.text(active).await;
        done(world, &["rotate"], &QUICK).await;
        let deadline = Instant::now() + Duration::from_secs(20);
        while world.text(active).await == old {
            assert!(Instant::now() < deadline, "no key took over");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // Long enough for both instances to sign with the new one.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.expect("a good token was refused");
    }
    let believed = believed.load(Ordering::Relaxed);
    assert!(believed > 200, "only {believed} tokens were looked at");
    let states = "SELECT string_agg(state, ',' ORDER BY created_at) FROM signing_keys";
    assert_eq!(world.text(states).await, "retiring,retiring,active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_takes_over_though_nobody_asks_and_then_no_verifier_is_given_old_keys() {
    let (world, other) = quick().await;
    let active = "SELECT kid FROM signing_keys WHERE state = 'active'";
    let old = world.text(active).await;
    done(&world, &["rotate"], &QUICK).await;
    until(async || world.text(active).await != old).await;
    let new = world.text(active).await;
    let instances = Arc::new([world.service, other]);
    let mut verifiers = tokio::task::JoinSet::new();
    for at in 0..64 {
        let instances = instances.clone();
        verifiers.spawn(async move { kids(&instances[at % 2]).await });
    }
    for kids in verifiers.join_all().await {
        assert!(kids.contains(&new), "only {kids:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_gone_with_its_secret_once_its_last_token_is_over() {
    let (world, other) = quick().await;
    let old = kids(&world.service).await.remove(0);
    done(&world, &["rotate"], &QUICK).await;
    let due = "UPDATE signing_keys SET activate_at = now() WHERE state = 'announced'";
    world.database.execute_unprepared(due).await.unwrap();
    until(async || kids_state(&world, &old).await == "retiring").await;
    let early =
        "UPDATE signing_keys SET retire_at = now() + interval '1 hour' WHERE state = 'retiring'";
    world.database.execute_unprepared(early).await.unwrap();
    assert!(kids(&other).await.contains(&old));
    let over = "UPDATE signing_keys SET retire_at = now() WHERE state = 'retiring'";
    world.database.execute_unprepared(over).await.unwrap();
    until(async || {
        !kids(&other).await.contains(&old) && !kids(&world.service).await.contains(&old)
    })
    .await;
    let row = format!(
        "SELECT count(*) FROM signing_keys WHERE kid = '{old}' AND state = 'retired' AND retired_at <= now() \
         AND length(sealed_private_key) = 0"
    );
    assert_eq!(world.number(&row).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_its_days_a_key_is_replaced_by_itself() {
    let (world, other) = quick().await;
    let old = kids(&world.service).await.remove(0);
    let days = "UPDATE signing_keys SET activated_at = now() - interval '90 days'";
    world.database.execute_unprepared(days).await.unwrap();
    let at_rest = "SELECT count(*) FROM signing_keys";
    until(async || kids(&other).await.len() == 2 && kids(&world.service).await.len() == 2).await;
    assert_eq!(
        world.number(at_rest).await,
        2,
        "both instances announced one"
    );
    until(async || {
        kids(&other).await;
        kids_state(&world, &old).await == "retiring"
    })
    .await;
    assert_eq!(world.number(at_rest).await, 2);
    world.service.sign_in(&Wallet::new(1)).await;
}

async fn kids_state(world: &World, kid: &str) -> String {
    kids(&world.service).await;
    let sql = format!("SELECT state FROM signing_keys WHERE kid = '{kid}'");
    world.text(&sql).await
}

async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(Instant::now() < deadline, "it never came to that");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
