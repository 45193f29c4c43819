//! `Idempotency-Key` on a route that has an effect.

use crate::support::{Api, Device, User, problem};
use reqwest::{Response, StatusCode};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use serde_json::Value;
use tokio::task::JoinSet;

const KEY: &str = "a-key-of-the-tests-1";

async fn register(api: &Api, user: &User, key: &str, body: &Value) -> Response {
    register_at(api, "/devices", user, key, body).await
}

async fn register_at(api: &Api, path: &str, user: &User, key: &str, body: &Value) -> Response {
    api.http
        .post(format!("{}{path}", api.url))
        .bearer_auth(&user.token)
        .header("idempotency-key", key)
        .json(body)
        .send()
        .await
        .unwrap()
}

fn replayed(response: &Response) -> bool {
    response
        .headers()
        .get("idempotency-replayed")
        .is_some_and(|value| value == "true")
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_answered_the_same_and_says_so() {
    let api = Api::new().await;
    let (user, device) = (api.user().await, Device::new());
    let body = device.registration(&user);
    let first = register(&api, &user, KEY, &body).await;
    assert_eq!(first.status(), StatusCode::CREATED);
    assert!(!replayed(&first));
    let first = first.text().await.unwrap();
    // Without the key this would be 200. Under the alias it is the same route, and the order of keys is no other body.
    let reordered: Value = serde_json::from_str(&format!(
        r#"{{"proof":{},"issuedAt":{},"deviceId":{}}}"#,
        body["proof"], body["issuedAt"], body["deviceId"]
    ))
    .unwrap();
    for (path, body) in [("/devices", &body), ("/api/v1/devices", &reordered)] {
        let again = register_at(&api, path, &user, KEY, body).await;
        assert_eq!(again.status(), StatusCode::CREATED);
        assert!(replayed(&again));
        assert_eq!(again.text().await.unwrap(), first);
    }
    assert_eq!(api.count("devices").await, 1);
    assert_eq!(api.count("idempotency_keys").await, 1);
}

#[tokio::test]
async fn a_refusal_is_repeated_too_and_a_failure_is_not_kept() {
    let api = Api::new().await;
    let (owner, device) = api.user_with_device().await;
    let thief = api.user().await;
    let body = device.registration(&thief);
    let refused = register(&api, &thief, KEY, &body).await;
    assert_eq!(problem(refused, 409).await, "device.taken");
    // The device becomes free, but this request was answered already.
    let sql = format!("DELETE FROM devices WHERE user_id = '{}'", owner.uid);
    api.as_owner(&sql).await;
    let again = register(&api, &thief, KEY, &body).await;
    assert!(replayed(&again));
    assert_eq!(problem(again, 409).await, "device.taken");
    let new = register(&api, &thief, "another-key-of-tests", &body).await;
    assert_eq!(new.status(), StatusCode::CREATED);

    // The table of devices cannot be written: our fault, so the same key may try again later.
    let (user, device) = (api.user().await, Device::new());
    let body = device.registration(&user);
    api.as_owner("REVOKE INSERT ON devices FROM twist_app")
        .await;
    let failed = register(&api, &user, KEY, &body).await;
    assert_eq!(problem(failed, 500).await, "internal");
    api.as_owner("GRANT INSERT ON devices TO twist_app").await;
    let works = register(&api, &user, KEY, &body).await;
    assert_eq!(works.status(), StatusCode::CREATED);
    assert!(!replayed(&works));
}

#[tokio::test]
async fn a_key_never_answers_for_another_request_or_another_user() {
    let api = Api::new().await;
    let (user, other) = (api.user().await, api.user().await);
    let body = Device::new().registration(&user);
    assert_eq!(register(&api, &user, KEY, &body).await.status(), 201);
    let another = Device::new().registration(&user);
    let refused = register(&api, &user, KEY, &another).await;
    assert_eq!(problem(refused, 422).await, "idempotency.key_reused");
    // The same key of another user is another key.
    let theirs = register(&api, &other, KEY, &Device::new().registration(&other)).await;
    assert_eq!(theirs.status(), 201);
    assert!(!replayed(&theirs));
    assert_eq!(api.count("devices").await, 2);
}

#[tokio::test]
async fn what_is_no_key_is_refused_before_anything_happens() {
    let api = Api::new().await;
    let user = api.user().await;
    let long = "k".repeat(65);
    for bad in [
        "",
        "short",
        &long,
        "with a space in it",
        "slash/slash/slash",
        "quote'quote'quote",
    ] {
        let refused = register(&api, &user, bad, &Device::new().registration(&user)).await;
        assert_eq!(
            problem(refused, 400).await,
            "idempotency.key_missing",
            "{bad}"
        );
    }
    let twice = api
        .http
        .post(format!("{}/devices", api.url))
        .bearer_auth(&user.token)
        .header("idempotency-key", KEY)
        .header("idempotency-key", "another-key-of-tests")
        .json(&Device::new().registration(&user))
        .send()
        .await
        .unwrap();
    assert_eq!(problem(twice, 400).await, "idempotency.key_missing");
    assert_eq!(api.count("devices").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_equal_requests_at_once_one_has_the_effect_and_the_others_wait_or_repeat_it() {
    let api = std::sync::Arc::new(Api::new().await);
    let user = api.user().await;
    let body = Device::new().registration(&user);
    // Holds the user's row, so that the first cannot end before the others have come.
    let held = api.db.begin().await.unwrap();
    let sql = format!("SELECT id FROM users WHERE id = '{}' FOR UPDATE", user.uid);
    held.execute_unprepared(&sql).await.unwrap();
    let mut requests = JoinSet::new();
    for _ in 0..6 {
        let request = api
            .http
            .post(format!("{}/devices", api.url))
            .bearer_auth(&user.token)
            .header("idempotency-key", KEY)
            .json(&body);
        requests.spawn(async move { request.send().await.unwrap() });
    }
    // All but the one that waits for the row are told that it is running.
    for _ in 0..5 {
        let told = requests.join_next().await.unwrap().unwrap();
        assert!(told.headers().contains_key("retry-after"));
        assert_eq!(problem(told, 409).await, "idempotency.in_progress");
    }
    held.rollback().await.unwrap();
    let first = requests.join_next().await.unwrap().unwrap();
    assert_eq!(first.status(), StatusCode::CREATED);
    let again = register(&api, &user, KEY, &body).await;
    assert!(replayed(&again));
    assert_eq!(api.count("devices").await, 1);
}

#[tokio::test]
async fn an_answer_that_is_too_old_is_forgotten() {
    let api = Api::new().await;
    let (user, device) = (api.user().await, Device::new());
    let body = device.registration(&user);
    assert_eq!(register(&api, &user, KEY, &body).await.status(), 201);
    api.as_owner("UPDATE idempotency_keys SET expires_at = now() - interval '1 second'")
        .await;
    let later = register(&api, &user, KEY, &body).await;
    assert!(!replayed(&later));
    assert_eq!(later.status(), StatusCode::OK);
    assert_eq!(api.count("idempotency_keys").await, 1);
}
