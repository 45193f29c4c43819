//! What payouts refuse, and that nothing is posted then.

use crate::pool::{TWIST, good};
use crate::support::{Api, problem};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn an_amount_that_is_none_is_refused_with_a_pointer_and_posts_nothing() {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    let before = api.count("ledger_tx").await;
    let huge = "9".repeat(400);
    for bad in [
        json!("0"),
        json!("-1"),
        json!("+1"),
        json!("0x10"),
        json!(" 20000000000"),
        json!("20000000000 "),
        json!("2e10"),
        json!("20.5"),
        json!("020000000000"),
        json!("9223372036854775808"),
        json!(huge),
        json!(""),
        json!("٢"),
        json!(20_000_000_000_u64),
        json!(20.5),
        json!(1e300),
        json!(null),
        json!([]),
        json!(true),
    ] {
        let body = json!({ "amount": bad, "method": "ledger" });
        let refused = api
            .order(Method::POST, "/payouts/request", &payee.user, &body)
            .await;
        let refused: Value = good(refused, 400).await;
        assert_eq!(refused["code"], "validation.failed", "{bad}");
        assert_eq!(refused["errors"][0]["pointer"], "/amount", "{bad}");
    }
    // A number that no type holds; JSON of its own, since ours cannot write it.
    let raw = format!(r#"{{"amount": 1{}, "method": "ledger"}}"#, "0".repeat(400));
    let refused = api
        .http
        .post(format!("{}/payouts/request", api.url))
        .bearer_auth(&payee.user.token)
        .header("idempotency-key", Uuid::new_v4().to_string())
        .header("content-type", "application/json")
        .body(raw)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(api.count("ledger_tx").await, before);
    assert_eq!(api.count("payouts").await, 0);
}

#[tokio::test]
async fn too_little_too_much_and_a_second_one_are_refused_with_their_codes() {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    let before = api.count("ledger_tx").await;
    for (units, code) in [
        (1, "payout.below_minimum"),
        (10 * TWIST - 1, "payout.below_minimum"),
        (40 * TWIST + 1, "ledger.insufficient_funds"),
        (i64::MAX.unsigned_abs(), "ledger.insufficient_funds"),
    ] {
        let refused: Value = good(api.ask(&payee, units).await, 400).await;
        assert_eq!(refused["code"], code, "{units}");
        assert_eq!(refused["errors"][0]["pointer"], "/amount", "{units}");
    }
    assert_eq!(api.count("ledger_tx").await, before);
    assert_eq!(api.count("payouts").await, 0);
    let first = api.asked(&payee, 10 * TWIST).await;
    let second = api.ask(&payee, 10 * TWIST).await;
    assert_eq!(problem(second, 409).await, "payout.already_open");
    assert_eq!(api.payable(&payee).await, [30 * TWIST, 10 * TWIST, 0]);
    assert_eq!(api.sweep().await, 1);
    let late = api.decide(&payee.user, &first, "cancel").await;
    assert_eq!(problem(late, 409).await, "payout.not_cancellable");
    api.asked(&payee, 10 * TWIST).await;
    api.assert_sound().await;
}

#[tokio::test]
async fn what_is_not_available_is_said_and_never_pretended() {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    for method in ["crypto", "bank", "paypal"] {
        let body = json!({ "amount": "20000000000", "method": method });
        let refused = api
            .order(Method::POST, "/payouts/request", &payee.user, &body)
            .await;
        assert_eq!(problem(refused, 501).await, "payout.method_unavailable");
        let body = json!({ "enabled": true, "method": method });
        let refused = api
            .order(Method::PUT, "/payouts/auto", &payee.user, &body)
            .await;
        assert_eq!(problem(refused, 501).await, "payout.method_unavailable");
    }
    assert_eq!(api.count("payouts").await, 0);
    assert_eq!(api.payable(&payee).await, [40 * TWIST, 0, 0]);
}

#[tokio::test]
async fn a_body_names_an_amount_and_nobody() {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    let wallet = payee.user.wallet;
    for (name, value, code) in [
        (
            "influencerId",
            json!(payee.influencer),
            "request.identity_in_body",
        ),
        ("userId", json!(wallet), "request.identity_in_body"),
        ("bankDetails", json!({ "iban": "x" }), "validation.failed"),
        ("walletAddress", json!(wallet), "validation.failed"),
        ("walletAddress", json!("x"), "validation.failed"),
        ("method", json!("cash"), "validation.failed"),
    ] {
        let mut body = json!({ "amount": "20000000000", "method": "ledger" });
        body[name] = value;
        let refused = api
            .order(Method::POST, "/payouts/request", &payee.user, &body)
            .await;
        assert_eq!(problem(refused, 400).await, code, "{name}");
    }
    let body = json!({ "amount": "20000000000", "method": "ledger" });
    let bare = api.post("/payouts/request", &payee.user.token, &body).await;
    assert_eq!(problem(bare, 400).await, "idempotency.key_missing");
    assert_eq!(api.count("payouts").await, 0);
}

#[tokio::test]
async fn nobody_reads_or_moves_the_payouts_of_another() {
    let api = Api::new().await;
    let (a, b) = (
        api.payee("ada", 40 * TWIST).await,
        api.payee("bob", 40 * TWIST).await,
    );
    let payout = api.asked(&a, 20 * TWIST).await;
    let path = format!("/payouts/{}", payout["id"].as_str().unwrap());
    assert_eq!(
        problem(api.get(&path, &b.user.token).await, 404).await,
        "not_found"
    );
    let cancel = api.decide(&b.user, &payout, "cancel").await;
    assert_eq!(problem(cancel, 404).await, "not_found");
    for what in ["approve", "reject", "hold", "release", "process"] {
        let refused = api.decide(&b.user, &payout, what).await;
        assert_eq!(problem(refused, 403).await, "permission.denied", "{what}");
    }
    let own = api.read("/payouts/history", &b.user.token).await;
    assert_eq!((&own["total"], &own["payouts"]), (&json!(0), &json!([])));
    let theirs = format!("/payouts/history?influencerId={}", a.influencer);
    let refused = api.get(&theirs, &b.user.token).await;
    assert_eq!(problem(refused, 403).await, "permission.denied");
    let stranger = api.user().await;
    let none = api.read("/payouts/history", &stranger.token).await;
    assert_eq!(none["total"], 0);
    let refused = api.get("/payouts/balance", &stranger.token).await;
    assert_eq!(problem(refused, 403).await, "permission.denied");
    let body =
        json!({ "influencerId": a.influencer, "startDate": "2026-01-01", "endDate": "2026-12-31" });
    let refused = api.post("/payouts/calculate", &b.user.token, &body).await;
    assert_eq!(problem(refused, 403).await, "permission.denied");
    let operator = api.with("operator").await;
    api.read(&path, &operator.token).await;
    assert_eq!(api.read(&theirs, &operator.token).await["total"], 1);
    assert_eq!(
        api.read("/payouts/history", &operator.token).await["total"],
        1
    );
    let nothing = json!({ "id": Uuid::new_v4() });
    for what in ["approve", "reject", "hold", "release", "process"] {
        let refused = api.decide(&operator, &nothing, what).await;
        assert_eq!(problem(refused, 404).await, "not_found", "{what}");
    }
    api.assert_sound().await;
}

#[tokio::test]
async fn terms_that_cannot_be_are_refused() {
    let api = Api::new().await;
    let admin = api.with("admin").await;
    for (name, value, pointer) in [
        ("minimum", json!("0"), "/minimum"),
        ("minimum", json!("100000000"), ""),
        ("platformFeeBps", json!(10_000), ""),
        ("platformFeeBps", json!(10_001), ""),
        ("platformFeeBps", json!(65_536), "/platformFeeBps"),
        ("holdingSeconds", json!(31_536_001), ""),
        ("processingFee", json!("10000000000"), ""),
        ("processingFee", json!("-1"), "/processingFee"),
        ("reason", json!(""), "/reason"),
        ("reason", json!("a\u{7}b"), "/reason"),
        ("reason", json!("x".repeat(501)), "/reason"),
    ] {
        let mut body = json!({ "reason": "a test" });
        body[name] = value;
        let refused = api
            .order(Method::PUT, "/admin/payout-policy", &admin, &body)
            .await;
        let refused: Value = good(refused, 400).await;
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{name}");
    }
    assert_eq!(api.count("payout_policies").await, 1);
    let seed = api.read("/admin/payout-policy", &admin.token).await;
    assert_eq!(seed["minimum"], (10 * TWIST).to_string());
    assert_eq!(seed["platformFeeBps"], 1_000);
    assert_eq!(seed["processingFee"], (TWIST / 10).to_string());
    assert_eq!(seed["holdingSeconds"], 604_800);
}
