//! Sessions and signing keys that auth-service has ended.

use crate::support::{Api, Device, problem, signed_by_the_next_key, token};
use std::time::Duration;
use testkit::{OwnPostgres, OwnRedis};
use uuid::Uuid;

#[tokio::test]
async fn an_ended_session_reads_nothing_after_two_seconds_though_its_token_was_believed() {
    let api = Api::new().await;
    let user = api.user().await;
    let session = Uuid::new_v4();
    let ended = token(user.uid, user.wallet, |claims| claims.sid = session);
    for _ in 0..3 {
        assert_eq!(api.get("/me", &ended).await.status(), 200);
    }
    api.end_session(&user, session).await;
    let took = api.until_refused("/me", &ended).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    let refused = api.get("/me/balance", &ended).await;
    assert_eq!(problem(refused, 401).await, "auth.session_revoked");
    // The user's other session goes on.
    assert_eq!(api.get("/me", &user.token).await.status(), 200);
}

#[tokio::test]
async fn what_must_not_happen_after_a_session_ended_is_refused_at_once() {
    let api = Api::new().await;
    // Over and over, so that the watch has no time to hear of it first.
    for _ in 0..10 {
        let user = api.user().await;
        let session = Uuid::new_v4();
        let ended = token(user.uid, user.wallet, |claims| claims.sid = session);
        assert_eq!(api.get("/me", &ended).await.status(), 200);
        api.end_session(&user, session).await;
        let device = Device::new().registration(&user);
        let refused = api.post("/devices", &ended, &device).await;
        assert_eq!(problem(refused, 401).await, "auth.session_revoked");
        // This instance knows it from now on.
        let refused = api.get("/me", &ended).await;
        assert_eq!(problem(refused, 401).await, "auth.session_revoked");
    }
    assert_eq!(api.count("devices").await, 0);
}

const RETIRE: &str = "INSERT INTO signing_keys (kid, public_key, sealed_private_key, state, retired_at) \
                      VALUES ('k1', decode(repeat('00', 32), 'hex'), '', 'retired', now() - interval '1 day')";

#[tokio::test]
async fn a_retired_signing_key_is_believed_no_longer_though_its_public_half_is_still_cached() {
    let api = Api::new().await;
    let user = api.user().await;
    assert_eq!(api.get("/me", &user.token).await.status(), 200);
    api.as_owner(RETIRE).await;
    api.until_refused("/me", &user.token).await;
    let device = Device::new().registration(&user);
    let refused = api.post("/devices", &user.token, &device).await;
    assert_eq!(problem(refused, 401).await, "auth.session_revoked");
}

#[tokio::test]
async fn a_session_outlives_the_key_that_signed_its_token() {
    let api = Api::new().await;
    let user = api.user().await;
    api.as_owner(RETIRE).await;
    let device = Device::new().registration(&user);
    let refused = api.post("/devices", &user.token, &device).await;
    assert_eq!(problem(refused, 401).await, "auth.session_revoked");
    // The refreshed token is of the same session.
    let next = signed_by_the_next_key(&user.token);
    assert_eq!(api.get("/me", &next).await.status(), 200);
    assert_eq!(api.post("/devices", &next, &device).await.status(), 201);
}

#[tokio::test]
async fn without_a_database_nobody_is_taken_for_still_signed_in_where_it_matters() {
    let (postgres, redis) = (OwnPostgres::new().await, OwnRedis::new().await);
    let api = Api::on_own(&postgres, &redis).await;
    let (user, device) = api.user_with_device().await;
    postgres.stop().await;
    let body = device.registration(&user);
    let refused = api.post("/devices", &user.token, &body).await;
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(problem(refused, 503).await, "auth.revocation_unknown");
}

#[tokio::test]
async fn without_redis_who_is_signed_in_goes_on_reading() {
    let (postgres, redis) = (OwnPostgres::new().await, OwnRedis::new().await);
    let api = Api::on_own(&postgres, &redis).await;
    let (user, _) = api.user_with_device().await;
    redis.stop().await;
    for path in ["/me", "/me/balance", "/me/rewards", "/devices"] {
        assert_eq!(api.get(path, &user.token).await.status(), 200, "{path}");
    }
    // And an ended session is still found out: the database says so, not Redis.
    let session = Uuid::new_v4();
    let ended = token(user.uid, user.wallet, |claims| claims.sid = session);
    assert_eq!(api.get("/me", &ended).await.status(), 200);
    api.end_session(&user, session).await;
    api.until_refused("/me", &ended).await;
}
