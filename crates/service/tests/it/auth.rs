//! Tokens that are believed, and all the others.

use crate::issuer::{ISSUER, Issuer, KID, claims, encode, jwk};
use crate::world::{World, problem};
use aide::axum::ApiRouter;
use aide::axum::routing::get;
use axum::extract::FromRef;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::Code;
use contracts::token::{AccessClaims, TokenError};
use domain::WalletAddress;
use ed25519_dalek::SigningKey;
use service::auth::{
    AccessTokenSigner, JwksPolicy, Principal, TokenConfig, TokenVerifier, VerifyError,
};
use service::clock;
use std::sync::atomic::Ordering;
use std::time::Duration;

const INVALID: VerifyError = VerifyError::Token(TokenError::Invalid);

#[tokio::test]
async fn a_token_of_the_issuer_is_believed_and_fetches_keys_once() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier(JwksPolicy::default());
    for _ in 0..50 {
        let principal = verifier.verify(&issuer.token(&claims())).await.unwrap();
        assert_eq!(principal.wallet, claims().sub);
        assert_eq!(principal.uid, claims().uid);
        assert_eq!(principal.session, claims().sid);
    }
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn a_token_that_anyone_could_have_made_is_refused() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier(JwksPolicy::default());
    let claims_text = serde_json::to_string(&claims()).unwrap();
    let good = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{KID}"}}"#);
    assert!(
        verifier
            .verify(&issuer.raw(&good, &claims_text))
            .await
            .is_ok()
    );

    let none = format!(
        "{}.{}.",
        encode(&format!(r#"{{"alg":"none","typ":"at+jwt","kid":"{KID}"}}"#)),
        encode(&claims_text)
    );
    let hs256 = {
        // The classic: the public key, which everyone has, used as an HMAC secret.
        let text = format!(
            "{}.{}",
            encode(&format!(
                r#"{{"alg":"HS256","typ":"at+jwt","kid":"{KID}"}}"#
            )),
            encode(&claims_text)
        );
        let mac = hmac_sha256(issuer.key.verifying_key().as_bytes(), text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac))
    };
    let mut tokens = vec![
        ("alg none", none),
        ("HS256 with the public key", hs256),
        (
            "another's key",
            AccessTokenSigner::new(KID, &[7; 32])
                .sign(&claims())
                .unwrap(),
        ),
        (
            "unknown kid",
            AccessTokenSigner::new("other", &issuer.key.to_bytes())
                .sign(&claims())
                .unwrap(),
        ),
        (
            "no kid",
            issuer.raw(r#"{"alg":"EdDSA","typ":"at+jwt"}"#, &claims_text),
        ),
        (
            "a plain JWT",
            issuer.raw(
                &format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{KID}"}}"#),
                &claims_text,
            ),
        ),
        (
            "brings its key",
            issuer.raw(
                &format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{KID}","jwk":{{}}}}"#),
                &claims_text,
            ),
        ),
        (
            "a key twice",
            issuer.raw(
                &good,
                &claims_text.replacen('{', r#"{"aud":"twist-api","#, 1),
            ),
        ),
        ("no claims", issuer.raw(&good, "{}")),
        (
            "too long",
            issuer.raw(
                &good,
                &claims_text.replacen('{', &format!(r#"{{"pad":"{}","#, "x".repeat(4_096)), 1),
            ),
        ),
        ("empty", String::new()),
        ("not a token", "a.b.c".to_owned()),
    ];
    let token = issuer.token(&claims());
    for (index, _) in token.match_indices('.') {
        tokens.push(("cut short", token[..index].to_owned()));
    }
    tokens.push(("a dot more", format!("{token}.")));
    tokens.push(("padding", format!("{token}=")));
    for (what, token) in tokens {
        assert_eq!(verifier.verify(&token).await, Err(INVALID), "{what}");
    }
}

#[tokio::test]
async fn no_character_of_a_token_can_be_changed() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier(JwksPolicy::default());
    let token = issuer.token(&claims());
    for index in 0..token.len() {
        let mut altered = token.clone().into_bytes();
        altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        assert!(
            verifier.verify(&altered).await.is_err(),
            "character {index}"
        );
    }
    assert!(verifier.verify(&token).await.is_ok());
}

#[tokio::test]
async fn a_token_of_another_time_place_or_purpose_is_refused() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier(JwksPolicy::default());
    let now = clock::now_seconds();
    let bad = [
        (
            "issuer",
            AccessClaims {
                iss: "https://staging.example".into(),
                ..claims()
            },
        ),
        (
            "audience",
            AccessClaims {
                aud: "twist-edge".into(),
                ..claims()
            },
        ),
        (
            "not yet",
            AccessClaims {
                nbf: now + 120,
                ..claims()
            },
        ),
        (
            "from the future",
            AccessClaims {
                iat: now + 120,
                ..claims()
            },
        ),
        ("version", AccessClaims { ver: 2, ..claims() }),
        (
            "two wallets",
            AccessClaims {
                sub: WalletAddress::from_bytes([2; 32]),
                ..claims()
            },
        ),
    ];
    for (what, claims) in bad {
        assert_eq!(
            verifier.verify(&issuer.token(&claims)).await,
            Err(INVALID),
            "{what}"
        );
    }
    let expired = AccessClaims {
        iat: now - 1_000,
        nbf: now - 1_000,
        exp: now - 31,
        ..claims()
    };
    assert_eq!(
        verifier.verify(&issuer.token(&expired)).await,
        Err(VerifyError::Token(TokenError::Expired))
    );
}

#[tokio::test]
async fn a_believed_token_is_not_believed_longer_because_it_is_remembered() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier(JwksPolicy::default());
    let now = clock::now_seconds();
    // One to two seconds are left of the leeway.
    let token = issuer.token(&AccessClaims {
        iat: now - 900,
        nbf: now - 900,
        exp: now - 28,
        ..claims()
    });
    assert!(verifier.verify(&token).await.is_ok());
    let until = tokio::time::Instant::now() + Duration::from_secs(5);
    while verifier.verify(&token).await.is_ok() {
        assert!(tokio::time::Instant::now() < until, "believed for ever");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        verifier.verify(&token).await,
        Err(VerifyError::Token(TokenError::Expired))
    );
}

#[tokio::test]
async fn unknown_key_names_do_not_make_us_flood_the_issuer() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier(JwksPolicy::default());
    assert!(verifier.verify(&issuer.token(&claims())).await.is_ok());
    for n in 0..100 {
        let token = AccessTokenSigner::new(format!("made-up-{n}"), &[7; 32])
            .sign(&claims())
            .unwrap();
        assert_eq!(verifier.verify(&token).await, Err(INVALID));
    }
    assert_eq!(issuer.fetches(), 1, "one fetch in 30 seconds");
}

#[tokio::test]
async fn a_new_key_is_found_without_a_restart() {
    let issuer = Issuer::start().await;
    let policy = JwksPolicy {
        min_interval: Duration::ZERO,
        ..JwksPolicy::default()
    };
    let verifier = issuer.verifier(policy);
    assert!(verifier.verify(&issuer.token(&claims())).await.is_ok());
    let new = SigningKey::from_bytes(&[43; 32]);
    issuer
        .endpoint
        .keys
        .lock()
        .unwrap()
        .push(jwk("key-2", &new));
    let token = AccessTokenSigner::new("key-2", &new.to_bytes())
        .sign(&claims())
        .unwrap();
    assert!(verifier.verify(&token).await.is_ok());
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn an_issuer_that_is_down_is_not_an_issuer_without_keys() {
    let issuer = Issuer::start().await;
    let policy = JwksPolicy {
        max_age: Duration::ZERO,
        min_interval: Duration::ZERO,
        min_interval_empty: Duration::ZERO,
        ..JwksPolicy::default()
    };
    issuer.endpoint.down.store(true, Ordering::SeqCst);
    let verifier = issuer.verifier(policy);
    assert_eq!(
        verifier.verify(&issuer.token(&claims())).await,
        Err(VerifyError::Unavailable)
    );

    issuer.endpoint.down.store(false, Ordering::SeqCst);
    assert!(verifier.verify(&issuer.token(&claims())).await.is_ok());

    // Down again, in each way: an error, an empty set, a set without a key of ours. The last good set serves.
    issuer.endpoint.down.store(true, Ordering::SeqCst);
    assert!(verifier.verify(&issuer.token(&claims())).await.is_ok());
    let unknown = AccessTokenSigner::new("other", &[7; 32])
        .sign(&claims())
        .unwrap();
    assert_eq!(
        verifier.verify(&unknown).await,
        Err(VerifyError::Unavailable)
    );
    issuer.endpoint.down.store(false, Ordering::SeqCst);
    issuer.endpoint.keys.lock().unwrap()[0].crv = "X25519".into();
    assert!(verifier.verify(&issuer.token(&claims())).await.is_ok());
    issuer.endpoint.keys.lock().unwrap().clear();
    assert!(verifier.verify(&issuer.token(&claims())).await.is_ok());

    let forgetful = issuer.verifier(JwksPolicy {
        keep: Duration::ZERO,
        ..policy
    });
    assert_eq!(
        forgetful.verify(&issuer.token(&claims())).await,
        Err(VerifyError::Unavailable)
    );
}

#[derive(Clone)]
struct State(TokenVerifier);

impl FromRef<State> for TokenVerifier {
    fn from_ref(state: &State) -> Self {
        state.0.clone()
    }
}

async fn who(principal: Principal) -> String {
    principal.wallet.to_string()
}

#[tokio::test]
async fn a_route_that_takes_a_principal_asks_for_a_token() {
    let issuer = Issuer::start().await;
    let routes = ApiRouter::new()
        .api_route("/who", get(who))
        .with_state(State(issuer.verifier(JwksPolicy::default())));
    let world = World::start(routes, ApiRouter::new()).await;
    let token = issuer.token(&claims());
    for scheme in ["Bearer", "bearer"] {
        let answer = world
            .get("/who")
            .header("authorization", format!("{scheme} {token}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.text().await.unwrap(), claims().sub.to_string());
    }
    let now = clock::now_seconds();
    let expired = issuer.token(&AccessClaims {
        iat: now - 1_000,
        exp: now - 100,
        ..claims()
    });
    let cases = [
        (
            world.get("/who"),
            Code::AuthTokenMissing,
            "Bearer realm=\"twist\"",
        ),
        (
            world.get("/who").basic_auth("a", Some("b")),
            Code::AuthTokenMissing,
            "Bearer realm=\"twist\"",
        ),
        (
            world.get("/who").bearer_auth("nonsense"),
            Code::AuthTokenInvalid,
            "Bearer realm=\"twist\", error=\"invalid_token\"",
        ),
        (
            world
                .get("/who")
                .bearer_auth(&token)
                .header("authorization", "Bearer other"),
            Code::AuthTokenInvalid,
            "Bearer realm=\"twist\", error=\"invalid_token\"",
        ),
        (
            world.get("/who").header("authorization", "Bearer"),
            Code::AuthTokenInvalid,
            "Bearer realm=\"twist\", error=\"invalid_token\"",
        ),
        (
            world.get("/who").bearer_auth(expired),
            Code::AuthTokenExpired,
            "Bearer realm=\"twist\", error=\"invalid_token\", error_description=\"expired\"",
        ),
    ];
    for (request, code, challenge) in cases {
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], challenge);
        assert_eq!(problem(response).await.code, code);
    }
    let document: serde_json::Value = world
        .get("/openapi.json")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        document["paths"]["/who"]["get"]["security"][0]["bearer"],
        serde_json::json!([])
    );
}

#[tokio::test]
async fn a_route_answers_503_while_the_keys_are_unknown() {
    let config = TokenConfig {
        issuer: ISSUER.into(),
        jwks_url: "http://127.0.0.1:1/".into(),
    };
    let verifier = TokenVerifier::new(config).unwrap();
    let routes = ApiRouter::new()
        .api_route("/who", get(who))
        .with_state(State(verifier.clone()));
    let world = World::start_with(
        routes,
        ApiRouter::new(),
        vec![verifier.ready_check()],
        |_| {},
    )
    .await;
    let issuer = Issuer::start().await;
    let response = world
        .get("/who")
        .bearer_auth(issuer.token(&claims()))
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(problem(response).await.code, Code::DependencyUnavailable);
    assert_eq!(world.get("/ready").send().await.unwrap().status(), 503);
}

fn hmac_sha256(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        for (to, from) in block.iter_mut().zip(key) {
            *to ^= from;
        }
        block
    };
    let inner = domain::bytes::sha256(&[&pad(0x36)[..], message].concat());
    domain::bytes::sha256(&[&pad(0x5c)[..], &inner].concat())
}
