use crate::support::{Api, problem, token};
use serde_json::Value;
use uuid::Uuid;

#[tokio::test]
async fn a_wallet_sees_itself_and_an_empty_balance() {
    let api = Api::new().await;
    let user = api.user().await;
    let me: Value = api.get("/me", &user.token).await.json().await.unwrap();
    assert_eq!(me["uid"], user.uid.to_string());
    assert_eq!(me["userId"], user.wallet.to_string());
    assert_eq!(me["walletAddress"], user.wallet.to_string());
    assert_eq!(me["wallets"], serde_json::json!([user.wallet]));
    let balance: Value = api
        .get("/api/v1/me/balance", &user.token)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(balance["available"], "0");
    assert_eq!(balance["asset"], "TWIST");
    assert_eq!(balance["decimals"], 9);
}

#[tokio::test]
async fn nobody_without_a_good_token_reads_anything() {
    let api = Api::new().await;
    let user = api.user().await;
    for path in [
        "/me",
        "/me/balance",
        "/me/rewards",
        "/me/ledger",
        "/devices",
    ] {
        let bare = api
            .http
            .get(format!("{}{path}", api.url))
            .send()
            .await
            .unwrap();
        assert_eq!(problem(bare, 401).await, "auth.token_missing");
        let altered = format!("{}A", user.token);
        assert_eq!(
            problem(api.get(path, &altered).await, 401).await,
            "auth.token_invalid"
        );
        let expired = token(user.uid, user.wallet, |c| {
            c.iat -= 2_000;
            c.exp -= 2_000;
        });
        assert_eq!(
            problem(api.get(path, &expired).await, 401).await,
            "auth.token_expired"
        );
        let foreign = token(user.uid, user.wallet, |c| {
            c.iss = "https://staging.example".into();
        });
        assert_eq!(
            problem(api.get(path, &foreign).await, 401).await,
            "auth.token_invalid"
        );
    }
}

#[tokio::test]
async fn rewards_are_paged_without_a_gap_or_a_repeat() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let (other, others) = api.user_with_device().await;
    let items = (0..25)
        .map(|n| device.item(&user, n))
        .chain([others.item(&other, 0)]);
    api.deliver(Uuid::new_v4(), items.collect()).await;
    let mut seen = Vec::new();
    let mut path = "/me/rewards?limit=10".to_owned();
    loop {
        let page: Value = api.get(&path, &user.token).await.json().await.unwrap();
        for reward in page["rewards"].as_array().unwrap() {
            assert_eq!(reward["earned"], "5000000000");
            assert!(reward["transactionId"].is_string());
            seen.push(reward["vauId"].as_str().unwrap().to_owned());
        }
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/me/rewards?limit=10&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 25);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 25);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_page_that_cannot_be_is_a_bad_request() {
    let api = Api::new().await;
    let user = api.user().await;
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "cursor=~",
        "other=1",
        "limit=1&limit=2",
    ] {
        let response = api.get(&format!("/me/rewards?{query}"), &user.token).await;
        assert_eq!(problem(response, 400).await, "validation.failed", "{query}");
    }
}
