use crate::support::{Api, Device, EDGE_SECRET, problem, segment};
use contracts::ingest::QuarantineReason::{
    self, DeviceUnknown, IdMismatch, RewardMismatch, SignatureInvalid, Unreadable,
};
use domain::EpochMs;
use domain::http_hmac::SignedRequest;
use serde_json::{Value, json};
use service::clock;
use uuid::Uuid;

/// The edge is not believed: whatever it gets wrong is found here, and nothing is credited.
#[tokio::test]
async fn what_does_not_follow_from_the_signed_fields_is_set_aside() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let stranger = Device::new();
    let good = device.item(&user, 1);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut item = good.clone();
        change(&mut item);
        item
    };
    let other = device.item(&user, 2);
    let cases: Vec<(&str, Value, QuarantineReason)> = vec![
        ("null", Value::Null, Unreadable),
        (
            "a field missing",
            with(&|i| drop(i.as_object_mut().unwrap().remove("earned"))),
            Unreadable,
        ),
        (
            "an unknown VAU field",
            with(&|i| i["vau"]["x"] = json!(1)),
            Unreadable,
        ),
        (
            "a negative amount",
            with(&|i| i["earned"] = json!("-5")),
            Unreadable,
        ),
        (
            "a number for an amount",
            with(&|i| i["earned"] = json!(5)),
            Unreadable,
        ),
        (
            "another VAU's id",
            with(&|i| i["vauId"] = other["vauId"].clone()),
            IdMismatch,
        ),
        (
            "another fingerprint",
            with(&|i| i["fingerprint"] = other["fingerprint"].clone()),
            IdMismatch,
        ),
        (
            "an altered payload",
            with(&|i| i["vau"]["payload"] = json!("x")),
            IdMismatch,
        ),
        (
            "another's signature",
            with(&|i| i["vau"]["signature"] = other["vau"]["signature"].clone()),
            SignatureInvalid,
        ),
        (
            "no signature",
            with(&|i| i["vau"]["signature"] = json!("")),
            SignatureInvalid,
        ),
        (
            "a reward too high",
            with(&|i| i["earned"] = json!("5000000001")),
            RewardMismatch,
        ),
        (
            "a reward too low",
            with(&|i| i["earned"] = json!("1")),
            RewardMismatch,
        ),
        (
            "a score that is not the history's",
            with(&|i| i["trustScore"] = json!(100)),
            RewardMismatch,
        ),
        (
            "an unregistered device",
            stranger.item(&user, 1),
            DeviceUnknown,
        ),
    ];
    for (name, item, reason) in cases {
        let receipt = api.deliver(Uuid::new_v4(), vec![item]).await;
        assert_eq!((receipt.counted, receipt.duplicates), (0, 0), "{name}");
        assert_eq!(receipt.quarantined[0].reason, reason, "{name}");
    }
    assert_eq!(api.count("vaus").await, 0);
    assert_eq!(api.count("ledger_tx").await, 0);
    assert_eq!(api.deliver(Uuid::new_v4(), vec![good]).await.counted, 1);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_device_earns_only_for_its_own_user() {
    let api = Api::new().await;
    let (_, device) = api.user_with_device().await;
    let other = api.user().await;
    let receipt = api
        .deliver(Uuid::new_v4(), vec![device.item(&other, 1)])
        .await;
    assert_eq!(receipt.quarantined[0].reason, DeviceUnknown);
    assert_eq!(api.balance(&other).await, 0);
}

#[tokio::test]
async fn what_was_set_aside_stays_there_when_the_segment_comes_again() {
    let api = Api::new().await;
    let (user, device) = (api.user().await, Device::new());
    let (id, items) = (Uuid::new_v4(), vec![device.item(&user, 1)]);
    assert_eq!(api.deliver(id, items.clone()).await.quarantined.len(), 1);
    let registered = api
        .post("/devices", &user.token, &device.registration(&user))
        .await;
    assert_eq!(registered.status(), 201);
    // In one place for good: not counted now as well.
    let again = api.deliver(id, items).await;
    assert_eq!((again.counted, again.quarantined.len()), (0, 1));
    assert_eq!(api.balance(&user).await, 0);
}

#[tokio::test]
async fn nobody_delivers_without_the_edges_secret() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let body = serde_json::to_vec(&segment(Uuid::new_v4(), &[device.item(&user, 1)])).unwrap();
    let path = "/internal/v1/vau-batches";
    let now = clock::now_ms();
    let sign = |secret: &str, path: &str, timestamp: EpochMs, body: &[u8]| {
        SignedRequest {
            method: "POST",
            path,
            timestamp,
            body,
        }
        .sign(secret.as_bytes())
    };
    let good = sign(EDGE_SECRET, path, now, &body);
    let old = EpochMs::new(now.get() - 301_000).unwrap();
    let cases = [
        ("edge1", now.to_string(), sign("other", path, now, &body)),
        ("edge2", now.to_string(), good.clone()),
        (
            "edge1",
            now.to_string(),
            sign(EDGE_SECRET, "/other", now, &body),
        ),
        (
            "edge1",
            now.to_string(),
            sign(EDGE_SECRET, path, now, b"{}"),
        ),
        (
            "edge1",
            old.to_string(),
            sign(EDGE_SECRET, path, old, &body),
        ),
        ("edge1", (now.get() + 1).to_string(), good.clone()),
        ("edge1", "soon".to_owned(), good.clone()),
        ("edge1", now.to_string(), String::new()),
    ];
    for (key, timestamp, signature) in cases {
        let request = api
            .http
            .post(format!("{}{path}", api.url))
            .header("x-key-id", key)
            .header("x-timestamp", &timestamp)
            .header("x-hmac-signature", &signature);
        let response = request.body(body.clone()).send().await.unwrap();
        assert_eq!(
            problem(response, 401).await,
            "auth.hmac_invalid",
            "{key} {timestamp}"
        );
    }
    let bare = api
        .http
        .post(format!("{}{path}", api.url))
        .body(body.clone())
        .send()
        .await
        .unwrap();
    assert_eq!(problem(bare, 401).await, "auth.hmac_invalid");
    // A signed-in user is not the edge, and the alias for clients does not lead here.
    let segment: Value = serde_json::from_slice(&body).unwrap();
    let response = api.post(path, &user.token, &segment).await;
    assert_eq!(problem(response, 401).await, "auth.hmac_invalid");
    let response = api
        .post("/api/v1/internal/v1/vau-batches", &user.token, &segment)
        .await;
    assert_eq!(problem(response, 404).await, "not_found");
    assert_eq!(api.count("vaus").await, 0);
}

#[tokio::test]
async fn a_segment_that_cannot_be_read_is_a_bad_request_and_not_lost_silently() {
    let api = Api::new().await;
    let mut version = segment(Uuid::new_v4(), &[]);
    version["version"] = json!(3);
    let many: Vec<Value> = vec![Value::Null; 1_001];
    for body in [
        version,
        segment(Uuid::new_v4(), &many),
        json!({}),
        json!([]),
        json!(null),
    ] {
        let response = api.deliver_raw(&body).await;
        assert_eq!(problem(response, 400).await, "validation.failed");
    }
    let huge = segment(Uuid::new_v4(), &[json!("x".repeat(300_000))]);
    assert_eq!(
        problem(api.deliver_raw(&huge).await, 413).await,
        "request.too_large"
    );
}
