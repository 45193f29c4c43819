//! A caller in a handler's signature.

use crate::issuer::{ISSUER, claims};
use crate::world::{World, problem};
use contracts::Code;
use contracts::token::AccessClaims;
use service::access::{Routes, Rule};
use service::auth::{Principal, TokenConfig, TokenVerifier};
use service::clock;
use service::limit::RateClass;

fn routes() -> Routes {
    Routes::new().get("/who", Rule::user(RateClass::Read), who, |op| op)
}

async fn who(principal: Principal) -> String {
    principal.wallet.to_string()
}

#[tokio::test]
async fn a_route_that_takes_a_principal_asks_for_a_token() {
    let world = World::start(routes(), Routes::new()).await;
    let issuer = &world.issuer;
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
    let config = TokenConfig::new(ISSUER, "http://127.0.0.1:1/");
    let verifier = TokenVerifier::new(config).unwrap();
    let check = verifier.ready_check();
    let world = World::start_with(routes(), Routes::new(), vec![check], |setup| {
        setup.verifier = Some(verifier);
    })
    .await;
    let response = world
        .get("/who")
        .bearer_auth(world.issuer.token(&claims()))
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(problem(response).await.code, Code::DependencyUnavailable);
    assert_eq!(world.get("/ready").send().await.unwrap().status(), 503);
}
