use crate::support::{Api, Device, problem};
use domain::{DeviceId, EpochMs};
use reqwest::Method;
use serde_json::{Value, json};
use service::clock;
use service::limit::{LimitConfig, Number, RateLimits};

#[tokio::test]
async fn registering_a_device_again_changes_nothing() {
    let api = Api::new().await;
    let (user, device) = (api.user().await, Device::new());
    let first = api
        .post("/devices", &user.token, &device.registration(&user))
        .await;
    assert_eq!(first.status(), 201);
    let first: Value = first.json().await.unwrap();
    assert_eq!(first["userId"], user.wallet.to_string());
    let again = api
        .post("/api/v1/devices", &user.token, &device.registration(&user))
        .await;
    assert_eq!(again.status(), 200);
    assert_eq!(again.json::<Value>().await.unwrap(), first);
    let list: Value = api.get("/devices", &user.token).await.json().await.unwrap();
    assert_eq!(list["devices"], json!([first]));
}

#[tokio::test]
async fn a_device_cannot_be_taken_over() {
    let api = Api::new().await;
    let (owner, device) = api.user_with_device().await;
    let thief = api.user().await;
    // The thief has the owner's proof, but not the device.
    let stolen = device.registration(&owner);
    let response = api.post("/devices", &thief.token, &stolen).await;
    assert_eq!(problem(response, 400).await, "device.proof_invalid");
    // The thief has the device itself: it still stays the owner's.
    let response = api
        .post("/devices", &thief.token, &device.registration(&thief))
        .await;
    assert_eq!(problem(response, 409).await, "device.taken");
    assert_eq!(api.count("devices").await, 1);
}

#[tokio::test]
async fn a_proof_that_proves_nothing_is_refused() {
    let api = Api::new().await;
    let (user, device) = (api.user().await, Device::new());
    let now = clock::now_ms().get();
    let at = |ms| device.registration_at(&user.wallet, EpochMs::new(ms).unwrap());
    let with = |name: &str, value: Value| {
        let mut body = device.registration(&user);
        body[name] = value;
        body
    };
    for body in [
        at(now - 301_000),
        at(now + 301_000),
        at(0),
        with("issuedAt", json!(now - 1)),
        with("deviceId", json!(Device::new().id())),
        with("proof", json!("00".repeat(64))),
        with("proof", json!("")),
        with("proof", json!("zz".repeat(64))),
        with(
            "proof",
            json!(
                device.registration(&user)["proof"]
                    .as_str()
                    .unwrap()
                    .to_uppercase()
            ),
        ),
    ] {
        let response = api.post("/devices", &user.token, &body).await;
        assert_eq!(
            problem(response, 400).await,
            "device.proof_invalid",
            "{body}"
        );
    }
    assert_eq!(api.count("devices").await, 0);
}

#[tokio::test]
async fn a_key_that_signs_anything_for_anyone_is_no_device() {
    let api = Api::new().await;
    let user = api.user().await;
    let mut identity = [0u8; 32];
    identity[0] = 1;
    let mut forged = [0u8; 64];
    forged[0] = 1;
    let body = json!({
        "deviceId": DeviceId::from_bytes(identity),
        "issuedAt": clock::now_ms(),
        "proof": hex::encode(forged),
    });
    let response = api.post("/devices", &user.token, &body).await;
    assert_eq!(problem(response, 400).await, "device.proof_invalid");
}

#[tokio::test]
async fn twenty_registrations_at_once_do_not_pass_the_limit_of_ten() {
    let api = Api::new().await;
    let user = api.user().await;
    let bodies: Vec<Value> = (0..20).map(|_| Device::new().registration(&user)).collect();
    let tasks = bodies.iter().map(|body| {
        let request = api
            .http
            .post(format!("{}/devices", api.url))
            .bearer_auth(&user.token);
        tokio::spawn(request.json(body).send())
    });
    let mut statuses = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        statuses.push(task.await.unwrap().unwrap().status().as_u16());
    }
    assert_eq!(
        statuses.iter().filter(|s| **s == 201).count(),
        10,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|s| **s == 409).count(),
        10,
        "{statuses:?}"
    );
    assert_eq!(api.count("devices").await, 10);
}

#[tokio::test]
async fn registration_is_limited_for_each_user_alone() {
    let api = Api::with_limits(RateLimits {
        registration: LimitConfig {
            limit: Some(Number::clamped(3)),
            ..LimitConfig::default()
        },
        ..RateLimits::default()
    })
    .await;
    let (user, other) = (api.user().await, api.user().await);
    let device = Device::new();
    let mut limited = 0;
    // One may be admitted again while the test runs.
    for _ in 0..8 {
        let response = api
            .post("/devices", &user.token, &device.registration(&user))
            .await;
        if response.status() == 429 {
            assert!(response.headers().contains_key("retry-after"));
            assert_eq!(problem(response, 429).await, "rate.limited");
            limited += 1;
        }
    }
    assert!(limited >= 4, "{limited}");
    let response = api
        .post(
            "/devices",
            &other.token,
            &Device::new().registration(&other),
        )
        .await;
    assert_eq!(response.status(), 201);
}

#[tokio::test]
async fn the_edge_learns_whose_a_device_is_and_nobody_else_does() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let path = format!("/internal/v1/devices/{}", device.id());
    let answer = api.signed(Method::GET, &path, Vec::new()).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.json::<Value>().await.unwrap()["userId"],
        user.wallet.to_string()
    );
    let unsigned = api.get(&path, &user.token).await;
    assert_eq!(problem(unsigned, 401).await, "auth.hmac_invalid");
    let unknown = format!("/internal/v1/devices/{}", Device::new().id());
    let answer = api.signed(Method::GET, &unknown, Vec::new()).await;
    assert_eq!(problem(answer, 404).await, "not_found");
    let answer = api
        .signed(Method::GET, "/internal/v1/devices/xyz", Vec::new())
        .await;
    assert_eq!(problem(answer, 400).await, "validation.failed");
}
