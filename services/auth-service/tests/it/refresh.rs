//! Refresh tokens: each works once, a copy is found out, and nobody is signed out by two tabs.

use crate::world::{Service, Wallet, World, code, config, verifier};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::auth::TokenResponse;
use contracts::token::AccessClaims;
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use std::collections::HashSet;
use std::time::Duration;
use testkit::{CutProxy, OwnPostgres, TestRedis};
use tokio::task::JoinSet;
use tokio::time::Instant;

async fn refreshed(service: &Service, token: &str) -> TokenResponse {
    let response = service.refresh(token).await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn refusal(service: &Service, token: &str) -> &'static str {
    let response = service.refresh(token).await;
    assert_eq!(response.status(), 401);
    code(response).await
}

fn claims(token: &TokenResponse) -> AccessClaims {
    let part = token.access_token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Makes it look as if the newest token of every session had been given out long ago.
async fn let_the_grace_pass(world: &World) {
    let sql = "UPDATE sessions SET rotated_at = rotated_at - interval '31 seconds'";
    world.database.execute_unprepared(sql).await.unwrap();
}

async fn ended(world: &World, reason: &str) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM sessions WHERE revoke_reason = '{reason}' AND revoked_at <= now()"
    );
    world.number(&sql).await
}

#[tokio::test]
async fn a_session_goes_on_with_its_refresh_tokens_as_the_same_user() {
    let world = World::start().await;
    let first = world.service.sign_in(&Wallet::new(1)).await;
    assert_eq!(first.refresh_token.len(), 54);
    assert_eq!(first.refresh_expires_in, 14 * 24 * 3_600);
    let verifier = verifier(&world.service);
    let mut newest = first.clone();
    for _ in 0..5 {
        let next = refreshed(&world.service, &newest.refresh_token).await;
        assert_ne!(next.refresh_token, newest.refresh_token);
        assert!(verifier.verify(&next.access_token).await.is_ok());
        let (old, new) = (claims(&first), claims(&next));
        assert_eq!((new.sid, new.uid, new.sub), (old.sid, old.uid, old.sub));
        assert_ne!(new.jti, old.jti);
        newest = next;
    }
    assert_eq!(world.rows().await, [1, 1, 1]);
}

#[tokio::test]
async fn nothing_in_the_database_is_a_token() {
    let world = World::start().await;
    let first = world.service.sign_in(&Wallet::new(1)).await;
    let next = refreshed(&world.service, &first.refresh_token).await;
    for token in [first, next] {
        let bytes = URL_SAFE_NO_PAD.decode(&token.refresh_token[4..]).unwrap();
        let (text, mac) = (&token.refresh_token[4..], hex::encode(&bytes[21..]));
        let sql = format!(
            "SELECT count(*) FROM sessions AS s WHERE s::text LIKE '%{text}%' OR s::text LIKE '%{mac}%'"
        );
        assert_eq!(world.number(&sql).await, 0);
    }
    let sealed = "SELECT length(sealed_key)::bigint FROM sessions";
    assert_eq!(world.number(sealed).await, 24 + 32 + 16);
}

#[tokio::test]
async fn f58_two_tabs_that_refresh_at_once_get_the_same_next_token() {
    let world = World::start().await;
    let first = world.service.sign_in(&Wallet::new(1)).await;
    let mut tabs = JoinSet::new();
    for _ in 0..24 {
        let url = format!("http://{}/auth/refresh", world.service.running.public);
        let body = serde_json::json!({"refreshToken": first.refresh_token});
        let http = world.service.http.clone();
        tabs.spawn(async move {
            let response = http.post(url).json(&body).send().await.unwrap();
            assert_eq!(response.status(), 200);
            response.json::<TokenResponse>().await.unwrap()
        });
    }
    let answers = tabs.join_all().await;
    let next: HashSet<&str> = answers.iter().map(|a| a.refresh_token.as_str()).collect();
    assert_eq!(next.len(), 1, "tabs went different ways");
    assert_eq!(
        world
            .number("SELECT generation::bigint FROM sessions")
            .await,
        1
    );
    let open = "SELECT count(*) FROM sessions WHERE revoked_at IS NULL";
    assert_eq!(world.number(open).await, 1);
    // And the session goes on from there.
    refreshed(&world.service, &answers[0].refresh_token).await;
    let metrics = world.service.metrics().await;
    assert!(metrics.contains(r#"auth_refresh_total{result="repeated"}"#));
}

#[tokio::test]
async fn f58_a_refresh_token_used_again_later_ends_the_session_for_both() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let stolen = world.service.sign_in(&wallet).await;
    let bystander = world.service.sign_in(&wallet).await;
    let owner = refreshed(&world.service, &stolen.refresh_token).await;
    let_the_grace_pass(&world).await;
    assert_eq!(
        refusal(&world.service, &stolen.refresh_token).await,
        "auth.refresh_reused"
    );
    // The end lasted although the request failed: nobody has the session any more.
    assert_eq!(ended(&world, "refresh_reused").await, 1);
    for token in [&owner, &stolen] {
        assert_eq!(
            refusal(&world.service, &token.refresh_token).await,
            "auth.refresh_invalid"
        );
        let response = world
            .service
            .call(Method::GET, "/auth/sessions", &token.access_token)
            .await;
        assert_eq!(code(response).await, "auth.session_revoked");
    }
    // Another session of the user does not care.
    refreshed(&world.service, &bystander.refresh_token).await;
    let metrics = world.service.metrics().await;
    assert!(metrics.contains(r#"auth_refresh_total{result="reused"}"#));
}

#[tokio::test]
async fn a_token_two_generations_old_is_a_copy_even_within_the_grace() {
    let world = World::start().await;
    let first = world.service.sign_in(&Wallet::new(1)).await;
    let second = refreshed(&world.service, &first.refresh_token).await;
    let third = refreshed(&world.service, &second.refresh_token).await;
    assert_eq!(
        refusal(&world.service, &first.refresh_token).await,
        "auth.refresh_reused"
    );
    assert_eq!(
        refusal(&world.service, &third.refresh_token).await,
        "auth.refresh_invalid"
    );
}

#[tokio::test]
async fn f58_after_a_restored_backup_no_token_of_a_lost_generation_or_before_opens_anything() {
    let world = World::start().await;
    let first = world.service.sign_in(&Wallet::new(1)).await;
    let second = refreshed(&world.service, &first.refresh_token).await;
    let third = refreshed(&world.service, &second.refresh_token).await;
    let back = "UPDATE sessions SET generation = 1, rotated_at = now() - interval '1 hour'";
    world.database.execute_unprepared(back).await.unwrap();
    assert_eq!(
        refusal(&world.service, &third.refresh_token).await,
        "auth.refresh_invalid"
    );
    // The second is what the restored row takes for the newest; it was used long ago.
    assert_eq!(
        refusal(&world.service, &second.refresh_token).await,
        "auth.refresh_invalid"
    );
    assert_eq!(ended(&world, "refresh_ahead").await, 1);
    let metrics = world.service.metrics().await;
    assert!(metrics.contains(r#"auth_refresh_total{result="ahead"}"#));
}

#[tokio::test]
async fn every_token_that_is_not_good_is_refused_in_the_same_words() {
    let world = World::start().await;
    let token = world.service.sign_in(&Wallet::new(1)).await.refresh_token;
    let other = world.service.sign_in(&Wallet::new(2)).await.refresh_token;
    let bytes = |token: &str| URL_SAFE_NO_PAD.decode(&token[4..]).unwrap();
    let text = |bytes: &[u8]| format!("twr_{}", URL_SAFE_NO_PAD.encode(bytes));
    let altered = |at: usize| {
        let mut bytes = bytes(&token);
        bytes[at] ^= 1;
        text(&bytes)
    };
    // The session of one with the MAC of the other.
    let crossed = text(&[&bytes(&token)[..21], &bytes(&other)[21..]].concat());
    let ended = world.service.sign_in(&Wallet::new(3)).await;
    world
        .service
        .call(Method::POST, "/auth/logout", &ended.access_token)
        .await;
    let mut answers = HashSet::new();
    for bad in [
        "nonsense".to_owned(),
        String::new(),
        "twr_".to_owned() + &"A".repeat(50),
        "x".repeat(3_000),
        altered(0),
        altered(5),
        altered(20),
        altered(36),
        crossed,
        ended.refresh_token,
    ] {
        let response = world.service.refresh(&bad).await;
        assert_eq!(response.status(), 401, "{bad}");
        let mut problem: serde_json::Value = response.json().await.unwrap();
        assert_eq!(problem["code"], "auth.refresh_invalid", "{bad}");
        problem.as_object_mut().unwrap().remove("requestId");
        problem.as_object_mut().unwrap().remove("instance");
        answers.insert(problem.to_string());
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    // None of that touched the session.
    refreshed(&world.service, &token).await;
    refreshed(&world.service, &other).await;
}

#[tokio::test]
async fn a_session_that_rested_too_long_or_lived_too_long_is_over() {
    let world = World::start().await;
    for change in [
        "last_used_at = now() - interval '14 days 1 second'",
        "expires_at = now() - interval '1 second'",
    ] {
        let token = world.service.sign_in(&Wallet::new(1)).await;
        let sql = format!("UPDATE sessions SET {change}");
        world.database.execute_unprepared(&sql).await.unwrap();
        assert_eq!(
            refusal(&world.service, &token.refresh_token).await,
            "auth.refresh_invalid",
            "{change}"
        );
    }
}

#[tokio::test]
async fn tokens_never_outlive_the_session() {
    let world = World::start().await;
    let token = world.service.sign_in(&Wallet::new(1)).await;
    let soon = "UPDATE sessions SET expires_at = now() + interval '100 seconds'";
    world.database.execute_unprepared(soon).await.unwrap();
    let last = refreshed(&world.service, &token.refresh_token).await;
    assert!((95..=100).contains(&last.expires_in), "{}", last.expires_in);
    assert!((95..=100).contains(&last.refresh_expires_in));
    let claims = claims(&last);
    assert_eq!(claims.exp - claims.iat, last.expires_in);
}

#[tokio::test]
async fn without_postgres_a_refresh_token_is_not_lost() {
    let (postgres, redis) = (OwnPostgres::new().await, TestRedis::new().await);
    let proxy = CutProxy::to(postgres.port()).await;
    let url = proxy.instead_of(postgres.port(), &postgres.app_url);
    let mut settings = config(&url, &redis.url);
    settings.database.acquire_timeout_ms = 500;
    let service = Service::start(&settings).await;
    let token = service.sign_in(&Wallet::new(1)).await;
    proxy.cut();
    let refused = service.refresh(&token.refresh_token).await;
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(code(refused).await, "dependency.unavailable");
    proxy.mend();
    service.until_status("/ready", 200).await;
    // As a client does: again, while the answer says that it may help.
    let deadline = Instant::now() + Duration::from_secs(10);
    while service.refresh(&token.refresh_token).await.status() != 200 {
        assert!(Instant::now() < deadline, "the token was lost");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
