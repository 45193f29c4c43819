//! What operators and client writers see.

use crate::world::{Wallet, World, code};
use serde_json::Value;

#[tokio::test]
async fn the_documentation_names_every_route_and_its_types() {
    let world = World::start().await;
    let document: Value = world
        .service
        .get("/openapi.json")
        .await
        .json()
        .await
        .unwrap();
    for path in [
        "/.well-known/jwks.json",
        "/admin/users/{uid}/logout",
        "/auth/logout",
        "/auth/logout-all",
        "/auth/nonce",
        "/auth/refresh",
        "/auth/sessions",
        "/auth/sessions/{id}",
        "/auth/verify",
        "/auth/wallets",
        "/auth/wallets/nonce",
        "/health",
        "/ready",
        "/version",
    ] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    let verify = &document["paths"]["/auth/verify"]["post"];
    let body = &verify["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(body, "#/components/schemas/VerifyRequest");
    let refused = &verify["responses"]["401"]["$ref"];
    assert_eq!(refused, "#/components/responses/Unauthorized");
    for name in [
        "VerifyRequest",
        "TokenResponse",
        "RefreshRequest",
        "SessionList",
        "LinkWalletRequest",
        "NonceResponse",
        "Jwks",
        "Problem",
        "Readiness",
        "Version",
    ] {
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_routes_answer_under_the_alias_too() {
    let world = World::start().await;
    for path in [
        "/api/v1/.well-known/jwks.json",
        "/api/v1/health",
        "/api/v1/ready",
        "/api/v1/version",
    ] {
        assert_eq!(world.service.get(path).await.status(), 200, "{path}");
    }
    assert_eq!(code(world.service.get("/metrics").await).await, "not_found");
}

#[tokio::test]
async fn the_metrics_count_nonces_and_sign_ins_by_result() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let message = world.service.nonce(&wallet).await.message;
    let attempt = wallet.attempt(&message);
    world.service.verify(&attempt).await;
    world.service.verify(&attempt).await;
    let metrics = world.service.metrics().await;
    for part in [
        "auth_nonce_issued_total ",
        r#"auth_sign_in_total{result="ok"}"#,
        r#"auth_sign_in_total{result="auth.nonce_used"}"#,
        r#"http_request_duration_seconds_count{method="POST",route="/auth/verify",status="200"}"#,
    ] {
        assert!(metrics.contains(part), "{part} is missing:\n{metrics}");
    }
}
