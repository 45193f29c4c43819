//! What staking refuses: it says where, and moves nothing.

use crate::pool::{TWIST, good};
use crate::support::{Api, problem};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn an_amount_that_is_none_is_refused_with_a_pointer_and_nothing_is_posted() {
    let api = Api::new().await;
    let operator = api.with("operator").await;
    let pool = api.pool(&operator, "amounts", json!({})).await;
    let user = api.funded(100 * TWIST).await;
    good(api.stake(&user, pool, 10 * TWIST).await, 201).await;
    let posted = api.count("ledger_tx").await;
    let deposits = format!("/staking/pools/{pool}/deposits");
    let long = format!("1{}", "0".repeat(400));
    for amount in [
        json!("0"),
        json!("-1"),
        json!("+1"),
        json!("0x10"),
        json!(" 1"),
        json!("1 "),
        json!("1e9"),
        json!("1.5"),
        json!("01"),
        json!(""),
        json!("١"),
        json!("9223372036854775808"),
        json!(long),
        json!(1),
        json!(1.5),
        json!(null),
        json!(true),
        json!(["1"]),
        json!({}),
    ] {
        for (path, who) in [
            ("/staking/stake", &user),
            ("/staking/unstake", &user),
            (deposits.as_str(), &operator),
        ] {
            let mut body = json!({ "amount": amount });
            if path != deposits {
                body["influencerId"] = json!(pool);
            }
            let refused = api.order(Method::POST, path, who, &body).await;
            let refused: Value = good(refused, 400).await;
            assert_eq!(refused["code"], "validation.failed", "{path} {amount}");
            assert_eq!(
                refused["errors"][0]["pointer"], "/amount",
                "{path} {amount}"
            );
        }
    }
    // A number that no JSON type holds.
    let raw = format!("{{\"influencerId\":\"{pool}\",\"amount\":{long}}}");
    let sent = api.http.post(format!("{}/staking/stake", api.url));
    let sent = sent
        .bearer_auth(&user.token)
        .header("idempotency-key", "a-key-of-the-tests-1")
        .header("content-type", "application/json");
    assert_eq!(sent.body(raw).send().await.unwrap().status(), 400);
    assert_eq!(api.count("ledger_tx").await, posted);
    assert_eq!(api.count("stake_events").await, 1);
    api.assert_sound().await;
}

#[tokio::test]
async fn what_cannot_be_paid_or_is_not_there_has_its_code_and_moves_nothing() {
    let api = Api::new().await;
    let operator = api.with("operator").await;
    let pool = api
        .pool(&operator, "refusals", json!({ "minStake": "5000000000" }))
        .await;
    let user = api.funded(20 * TWIST).await;
    let nobody = Uuid::new_v4();
    assert_eq!(
        problem(api.deposit(&operator, pool, 9).await, 409).await,
        "stake.no_stakers"
    );
    assert_eq!(
        problem(api.unstake(&user, pool, 1).await, 400).await,
        "stake.insufficient_balance"
    );
    assert_eq!(
        problem(api.claim(&user, pool).await, 404).await,
        "stake.not_found"
    );
    let small: Value = good(api.stake(&user, pool, 5 * TWIST - 1).await, 400).await;
    assert_eq!(small["code"], "stake.below_minimum");
    assert_eq!(small["errors"][0]["pointer"], "/amount");
    let broke: Value = good(api.stake(&user, pool, 20 * TWIST + 1).await, 400).await;
    assert_eq!(broke["code"], "ledger.insufficient_funds");
    for answer in [
        api.stake(&user, nobody, 5 * TWIST).await,
        api.unstake(&user, nobody, 5 * TWIST).await,
        api.claim(&user, nobody).await,
        api.deposit(&operator, nobody, 5).await,
        api.get(&format!("/staking/influencer/{nobody}"), "").await,
    ] {
        assert_eq!(problem(answer, 404).await, "stake.pool_not_found");
    }
    assert_eq!(api.count("stakes").await, 0);
    good(api.stake(&user, pool, 20 * TWIST).await, 201).await;
    let more = api.unstake(&user, pool, 20 * TWIST + 1).await;
    assert_eq!(problem(more, 400).await, "stake.insufficient_balance");
    assert_eq!(
        problem(api.claim(&user, pool).await, 400).await,
        "stake.nothing_to_claim"
    );
    // More than a pool can count over its life.
    let all = i64::MAX.unsigned_abs();
    good(api.deposit(&operator, pool, all).await, 201).await;
    assert_eq!(
        problem(api.deposit(&operator, pool, 1).await, 400).await,
        "validation.failed"
    );
    assert_eq!(api.count("stake_events").await, 1);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_body_names_a_pool_and_nobody_else() {
    let api = Api::new().await;
    let operator = api.with("operator").await;
    let pool = api.pool(&operator, "bodies", json!({})).await;
    let (user, other) = (api.funded(20 * TWIST).await, api.funded(20 * TWIST).await);
    for name in ["userId", "wallet", "walletAddress"] {
        let body = json!({ "influencerId": pool, "amount": "5", name: other.wallet });
        let refused = api
            .order(Method::POST, "/staking/stake", &user, &body)
            .await;
        assert_eq!(problem(refused, 400).await, "request.identity_in_body");
    }
    for body in [
        json!({ "amount": "5" }),
        json!({ "influencerId": "x", "amount": "5" }),
        json!({ "influencerId": pool }),
        json!({ "influencerId": pool, "amount": "5", "extra": 1 }),
    ] {
        let refused = api
            .order(Method::POST, "/staking/stake", &user, &body)
            .await;
        assert_eq!(problem(refused, 400).await, "validation.failed", "{body}");
    }
    let body = json!({ "influencerId": pool, "amount": "5" });
    for path in ["/staking/stake", "/staking/unstake", "/staking/claim"] {
        let bare = api.post(path, &user.token, &body).await;
        assert_eq!(problem(bare, 400).await, "idempotency.key_missing");
    }
    assert_eq!(api.balance(&other).await, 20 * TWIST);
}

#[tokio::test]
async fn one_user_reads_and_moves_nothing_of_another() {
    let api = Api::new().await;
    let (operator, admin) = (api.with("operator").await, api.with("admin").await);
    let pool = api.pool(&operator, "tenants", json!({})).await;
    let (a, b) = (api.funded(20 * TWIST).await, api.funded(20 * TWIST).await);
    good(api.stake(&a, pool, 10 * TWIST).await, 201).await;
    good(api.deposit(&operator, pool, 100).await, 201).await;
    for what in ["stakes", "history"] {
        let path = format!("/staking/user/{}/{what}", a.wallet);
        for stranger in [&b, &operator] {
            let refused = api.get(&path, &stranger.token).await;
            assert_eq!(problem(refused, 403).await, "permission.denied");
        }
        api.read(&path, &a.token).await;
        api.read(&path, &admin.token).await;
    }
    let unstaked = api.unstake(&b, pool, 1).await;
    assert_eq!(problem(unstaked, 400).await, "stake.insufficient_balance");
    assert_eq!(
        problem(api.claim(&b, pool).await, 404).await,
        "stake.not_found"
    );
    // Strangers see no whole wallet.
    let details = api.read(&format!("/staking/influencer/{pool}"), "").await;
    assert!(!details.to_string().contains(&a.wallet.to_string()));
    let path = format!("/staking/pools/{pool}");
    let refused = api
        .order(Method::PATCH, &path, &a, &json!({ "active": false }))
        .await;
    assert_eq!(problem(refused, 403).await, "permission.denied");
    assert_eq!(
        problem(api.deposit(&a, pool, 5).await, 403).await,
        "permission.denied"
    );
    api.assert_sound().await;
}

#[tokio::test]
async fn an_influencer_is_made_once_with_a_name_of_its_own() {
    let api = Api::new().await;
    let operator = api.with("operator").await;
    let (a, b) = (api.user().await, api.user().await);
    let body = |who: &crate::support::User, name: &str| json!({ "userId": who.wallet, "username": name, "displayName": "Ada" });
    let make = async |body: Value| {
        api.order(Method::POST, "/admin/influencers", &operator, &body)
            .await
    };
    let created = good(make(body(&a, "Ada_L")).await, 201).await;
    assert_eq!(created["influencer"]["username"], "ada_l");
    assert_eq!(created["pool"]["minStake"], TWIST.to_string());
    assert_eq!(
        problem(make(body(&a, "other")).await, 409).await,
        "influencer.exists"
    );
    assert_eq!(
        problem(make(body(&b, "ADA_l")).await, 409).await,
        "influencer.username_taken"
    );
    let me = api.read("/me", &a.token).await;
    assert_eq!(me["roles"], json!(["influencer"]));
    let stranger = "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv";
    for (name, value, pointer) in [
        ("username", json!("a"), "/username"),
        ("username", json!("with space"), "/username"),
        ("displayName", json!(""), "/displayName"),
        ("displayName", json!("a\nb"), "/displayName"),
        ("avatar", json!("http://plain.example"), "/avatar"),
        ("bio", json!("x".repeat(1_001)), "/bio"),
        (
            "pool",
            json!({ "revenueShareBps": 2_001 }),
            "/pool/revenueShareBps",
        ),
        ("pool", json!({ "minStake": "0" }), "/pool/minStake"),
        (
            "pool",
            json!({ "cooldownSeconds": 31_536_001 }),
            "/pool/cooldownSeconds",
        ),
    ] {
        let mut bad = body(&b, "good_name");
        bad[name] = value;
        let refused: Value = good(make(bad).await, 400).await;
        assert_eq!(refused["errors"][0]["pointer"], pointer);
    }
    let mut of_nobody = body(&b, "good_name");
    of_nobody["userId"] = json!(stranger);
    let refused: Value = good(make(of_nobody).await, 404).await;
    assert_eq!(refused["errors"][0]["pointer"], "/userId");
    assert_eq!(api.count("influencers").await, 1);
}
