//! Requests signed with a shared secret.

use crate::world::{World, code};
use axum::extract::FromRef;
use domain::EpochMs;
use domain::http_hmac::SignedRequest;
use service::access::{Routes, Rule};
use service::hmac::{HmacKeys, SignedCaller};
use service::{ApiError, clock};

#[derive(Clone)]
struct State(HmacKeys);

impl FromRef<State> for HmacKeys {
    fn from_ref(state: &State) -> Self {
        state.0.clone()
    }
}

async fn take(caller: SignedCaller<1_000>) -> Result<String, ApiError> {
    let value: serde_json::Value = caller.json()?;
    Ok(format!("{} {value}", caller.key_id))
}

async fn world() -> World {
    let keys = [("old", "secret-1"), ("new", "secret-2"), ("empty", "")];
    let keys = keys.map(|(name, secret)| (name.to_owned(), secret.to_owned().into()));
    let routes = Routes::new()
        .post("/internal/v1/things", Rule::service(), take, |op| op)
        .with_state(State(HmacKeys::new(keys.into())));
    World::start(Routes::new(), routes).await
}

struct Signed {
    key_id: &'static str,
    secret: &'static str,
    path: &'static str,
    at: EpochMs,
    body: &'static str,
    sent: String,
}

fn good() -> Signed {
    Signed {
        key_id: "new",
        secret: "secret-2",
        path: "/internal/v1/things",
        at: clock::now_ms(),
        body: r#"{"a":1}"#,
        sent: r#"{"a":1}"#.to_owned(),
    }
}

impl Signed {
    fn request(&self, world: &World) -> reqwest::RequestBuilder {
        let signature = SignedRequest {
            method: "POST",
            path: "/internal/v1/things",
            timestamp: self.at,
            body: self.body.as_bytes(),
        }
        .sign(self.secret.as_bytes());
        world
            .post(self.path)
            .header("x-key-id", self.key_id)
            .header("x-timestamp", self.at.to_string())
            .header("x-hmac-signature", signature)
            .body(self.sent.clone())
    }
}

#[tokio::test]
async fn every_active_key_is_accepted() {
    let world = world().await;
    for (key_id, secret) in [("new", "secret-2"), ("old", "secret-1")] {
        let response = Signed {
            key_id,
            secret,
            ..good()
        }
        .request(&world)
        .send()
        .await
        .unwrap();
        assert_eq!(
            response.text().await.unwrap(),
            format!(r#"{key_id} {{"a":1}}"#)
        );
    }
}

#[tokio::test]
async fn a_request_that_was_not_signed_like_this_is_refused() {
    let world = world().await;
    let ago = |ms| EpochMs::new(clock::now_ms().get() - ms).unwrap();
    let bad = [
        Signed {
            sent: r#"{"a":2}"#.to_owned(),
            ..good()
        },
        Signed {
            secret: "secret-1",
            ..good()
        },
        Signed {
            key_id: "unknown",
            ..good()
        },
        Signed {
            key_id: "unknown",
            secret: "",
            ..good()
        },
        Signed {
            key_id: "empty",
            secret: "",
            ..good()
        },
        Signed {
            at: ago(301_000),
            ..good()
        },
        Signed {
            path: "/internal/v1/things?a=1",
            ..good()
        },
    ];
    for (index, signed) in bad.iter().enumerate() {
        assert_eq!(
            code(signed.request(&world)).await,
            "auth.hmac_invalid",
            "case {index}"
        );
    }
    assert_eq!(
        code(world.post("/internal/v1/things").body("{}")).await,
        "auth.hmac_invalid"
    );
    let twice = good().request(&world).header("x-key-id", "old");
    assert_eq!(code(twice).await, "auth.hmac_invalid");
    let text = good().request(&world).header("x-timestamp", "soon");
    assert_eq!(code(text).await, "auth.hmac_invalid");
    let refused = good()
        .request(&world)
        .header("x-key-id", "old")
        .send()
        .await
        .unwrap();
    assert_eq!(
        refused.headers()["www-authenticate"],
        "TWIST-HMAC-SHA256 realm=\"twist\""
    );
}

#[tokio::test]
async fn a_body_is_still_checked() {
    let world = world().await;
    let long = Signed {
        sent: " ".repeat(1_001),
        ..good()
    };
    assert_eq!(code(long.request(&world)).await, "request.too_large");
    let broken = Signed {
        body: "{",
        sent: "{".to_owned(),
        ..good()
    };
    assert_eq!(code(broken.request(&world)).await, "request.malformed");
}
