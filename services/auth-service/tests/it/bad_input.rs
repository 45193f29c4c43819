//! Requests that are not what the routes take: the right code, and nothing written.

use crate::world::{Service, Wallet, World, code};
use serde_json::{Value, json};
use service::limit::RateLimits;

#[tokio::test]
async fn a_body_that_is_wrong_is_refused_and_writes_nothing() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let message = world.service.nonce(&wallet).await.message;
    let good = wallet.attempt(&message);
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let without = |name: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        body
    };
    let cases = [
        ("/auth/nonce", json!({}), "/walletAddress"),
        ("/auth/nonce", json!({"walletAddress": 5}), "/walletAddress"),
        (
            "/auth/nonce",
            json!({"walletAddress": null}),
            "/walletAddress",
        ),
        (
            "/auth/nonce",
            json!({"walletAddress": "0OIl"}),
            "/walletAddress",
        ),
        (
            "/auth/nonce",
            json!({"walletAddress": "1".repeat(31)}),
            "/walletAddress",
        ),
        (
            "/auth/nonce",
            json!({"walletAddress": wallet.address(), "extra": 1}),
            "",
        ),
        ("/auth/nonce", json!([]), ""),
        ("/auth/verify", without("message"), "/message"),
        ("/auth/verify", without("signature"), "/signature"),
        ("/auth/verify", without("walletAddress"), "/walletAddress"),
        (
            "/auth/verify",
            with("message", json!("Sign in!")),
            "/message",
        ),
        (
            "/auth/verify",
            with("message", json!(message.replace('\n', "\r\n"))),
            "/message",
        ),
        (
            "/auth/verify",
            with("message", json!("x".repeat(3_000))),
            "/message",
        ),
        (
            "/auth/verify",
            with("signature", json!([1, 2, 3])),
            "/signature",
        ),
        (
            "/auth/verify",
            with("signature", json!("0OIl".repeat(20))),
            "/signature",
        ),
        ("/auth/verify", with("signature", json!("")), "/signature"),
        (
            "/auth/verify",
            with("signature", json!("1".repeat(10_000))),
            "/signature",
        ),
        (
            "/auth/verify",
            with("walletAddress", json!(Wallet::new(2).address())),
            "/walletAddress",
        ),
        ("/auth/verify", with("extra", json!(1)), ""),
    ];
    for (path, body, pointer) in cases {
        let response = world.service.post(path, &body).await;
        assert_eq!(response.status(), 400, "{body}");
        let problem: contracts::Problem = response.json().await.unwrap();
        assert_eq!(problem.code.as_str(), "validation.failed", "{body}");
        assert_eq!(problem.errors[0].pointer, pointer, "{body}");
    }
    assert_eq!(world.rows().await, [0, 0, 0]);
    // None of that was an attempt, so the nonce is still good.
    assert_eq!(world.service.verify(&good).await.status(), 200);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused() {
    let world = World::start().await;
    let raw = async |path: &str, kind: &str, body: Vec<u8>| {
        code(send(&world.service, path, kind, body).await).await
    };
    for path in ["/auth/nonce", "/auth/verify", "/api/v1/auth/nonce"] {
        let json = "application/json";
        assert_eq!(raw(path, json, b"{".to_vec()).await, "request.malformed");
        assert_eq!(raw(path, json, b"".to_vec()).await, "request.malformed");
        assert_eq!(
            raw(path, json, b"{\"walletAddress\":\"\xff\"}".to_vec()).await,
            "request.malformed"
        );
        assert_eq!(
            raw(
                path,
                json,
                b"{\"walletAddress\":\"a\",\"walletAddress\":\"b\"}".to_vec()
            )
            .await,
            "request.malformed"
        );
        assert_eq!(
            raw(path, json, vec![b' '; 20_000]).await,
            "request.too_large"
        );
        assert_eq!(
            raw(path, "text/plain", b"{}".to_vec()).await,
            "request.unsupported_media"
        );
    }
    assert_eq!(
        code(world.service.get("/auth/nonce").await).await,
        "request.method_not_allowed"
    );
    assert_eq!(
        code(world.service.get("/auth/nothing").await).await,
        "not_found"
    );
    assert_eq!(world.rows().await, [0, 0, 0]);
}

async fn send(service: &Service, path: &str, kind: &str, body: Vec<u8>) -> reqwest::Response {
    let url = format!("http://{}{path}", service.running.public);
    let request = service
        .http
        .post(url)
        .header("content-type", kind)
        .body(body);
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_nonce_that_was_never_given_out_opens_nothing() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let nonce = world.service.nonce(&wallet).await;
    for made_up in [
        "0123456789ABCDEFGHIJKL",
        "short",
        "*",
        "siws:n:0123456789ABCDE",
    ] {
        let message = nonce.message.replace(&nonce.nonce, made_up);
        let response = world.service.verify(&wallet.attempt(&message)).await;
        assert_eq!(response.status(), 400);
        assert_eq!(code(response).await, "auth.nonce_used", "{made_up}");
    }
    assert_eq!(world.rows().await, [0, 0, 0]);
}

/// Every route with a body, as the document names them.
#[tokio::test]
async fn f61_who_calls_is_never_taken_from_a_body() {
    let world = World::start().await;
    let token = world.service.sign_in(&Wallet::new(1)).await.access_token;
    let document = world.service.get("/openapi.json").await;
    let document: Value = document.json().await.unwrap();
    let mut looked_at = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let body = &item["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(schema) = body.as_str().and_then(|name| name.strip_prefix('#')) else {
            continue;
        };
        let declared = document.pointer(schema).unwrap()["properties"]
            .as_object()
            .unwrap();
        for name in ["userId", "influencerId", "wallet", "walletAddress"] {
            if declared.contains_key(name) {
                continue;
            }
            // Alone, and after everything that belongs there.
            for mut fields in [json!({}), sample(declared)] {
                fields[name] = json!(Wallet::new(2).address());
                let response = world.service.call_with(path, &token, &fields).await;
                assert_eq!(response.status(), 400, "{path} {fields}");
                let code = code(response).await;
                assert_eq!(code, "request.identity_in_body", "{path} {fields}");
                looked_at += 1;
            }
        }
    }
    assert_eq!(
        looked_at,
        (4 * 3 + 4) * 2,
        "routes with a body came or went"
    );
    assert_eq!(world.rows().await, [1, 1, 1]);
}

fn sample(properties: &serde_json::Map<String, Value>) -> Value {
    let address = json!(Wallet::new(2).address());
    let value = |name: &String| match name.as_str() {
        "walletAddress" => address.clone(),
        _ => json!("text"),
    };
    properties
        .keys()
        .map(|name| (name.clone(), value(name)))
        .collect()
}

#[tokio::test]
async fn nobody_floods_a_wallet_with_messages_to_sign() {
    let world = World::start_with(|config| config.limits = RateLimits::default()).await;
    let (wallet, other) = (Wallet::new(1), Wallet::new(2));
    for _ in 0..5 {
        world.service.nonce(&wallet).await;
    }
    let body = json!({"walletAddress": wallet.address()});
    let refused = world.service.post("/auth/nonce", &body).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(code(refused).await, "rate.limited");
    // Another's messages to link it count too, and another wallet does not care.
    let token = world.service.sign_in(&other).await.access_token;
    let link = world
        .service
        .call_with("/auth/wallets/nonce", &token, &body)
        .await;
    assert_eq!(code(link).await, "rate.limited");
}
