use crate::support::{Api, Device, problem};
use reqwest::Response;
use serde_json::json;

async fn send(
    api: &Api,
    token: &str,
    content_type: &str,
    body: impl Into<reqwest::Body>,
) -> Response {
    api.http
        .post(format!("{}/devices", api.url))
        .bearer_auth(token)
        .header("content-type", content_type)
        .body(body)
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn no_body_however_bad_is_our_fault_or_leaves_a_trace() {
    let api = Api::new().await;
    let user = api.user().await;
    let good = Device::new().registration(&user);
    let without = |name: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        body.to_string()
    };
    let with = |name: &str, value: serde_json::Value| {
        let mut body = good.clone();
        body[name] = value;
        body.to_string()
    };
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let cases: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("empty", vec![], 400, "request.malformed"),
        (
            "half",
            good.to_string().into_bytes()[..40].to_vec(),
            400,
            "request.malformed",
        ),
        (
            "not UTF-8",
            vec![b'"', 0xff, b'"'],
            400,
            "request.malformed",
        ),
        ("very deep", deep.into_bytes(), 400, "request.malformed"),
        ("an array", b"[]".to_vec(), 400, "validation.failed"),
        ("null", b"null".to_vec(), 400, "validation.failed"),
        (
            "a field missing",
            without("proof").into(),
            400,
            "validation.failed",
        ),
        (
            "an unknown field",
            with("color", json!("red")).into(),
            400,
            "validation.failed",
        ),
        (
            "a wrong type",
            with("issuedAt", json!("now")).into(),
            400,
            "validation.failed",
        ),
        (
            "a huge number",
            with("issuedAt", json!(1e300)).into(),
            400,
            "validation.failed",
        ),
        (
            "a negative number",
            with("issuedAt", json!(-1)).into(),
            400,
            "validation.failed",
        ),
        (
            "bad hex",
            with("deviceId", json!("xyz")).into(),
            400,
            "validation.failed",
        ),
        (
            "identity",
            with("userId", json!(user.wallet)).into(),
            400,
            "request.identity_in_body",
        ),
        ("too long", vec![b' '; 70_000], 413, "request.too_large"),
    ];
    for (name, body, status, code) in cases {
        let response = send(&api, &user.token, "application/json", body).await;
        assert_eq!(problem(response, status).await, code, "{name}");
    }
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
    ] {
        let response = send(&api, &user.token, content_type, good.to_string()).await;
        assert_eq!(problem(response, 415).await, "request.unsupported_media");
    }
    assert_eq!(api.count("devices").await, 0);
}

#[tokio::test]
async fn a_wrong_field_is_named_and_its_value_is_not_repeated() {
    let api = Api::new().await;
    let user = api.user().await;
    let mut body = Device::new().registration(&user);
    body["deviceId"] = json!("secret-looking-value");
    let response = api.post("/devices", &user.token, &body).await;
    let text = response.text().await.unwrap();
    assert!(text.contains("\"/deviceId\""), "{text}");
    assert!(!text.contains("secret-looking-value"), "{text}");
}

#[tokio::test]
async fn a_route_or_method_that_is_not_there_is_said_in_the_same_form() {
    let api = Api::new().await;
    let user = api.user().await;
    assert_eq!(
        problem(api.get("/nothing", &user.token).await, 404).await,
        "not_found"
    );
    let response = api.post("/me", &user.token, &json!({})).await;
    assert_eq!(problem(response, 405).await, "request.method_not_allowed");
}
