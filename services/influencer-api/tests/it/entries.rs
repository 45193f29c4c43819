//! `GET /me/ledger`.

use crate::pool::good;
use crate::support::{Api, User, problem};
use serde_json::{Value, json};
use uuid::Uuid;

/// A pool that takes the smallest stakes.
async fn pool(api: &Api) -> Uuid {
    let operator = api.with("operator").await;
    api.pool(&operator, "entries", json!({ "minStake": "1" }))
        .await
}

async fn page(api: &Api, user: &User, query: &str) -> Value {
    let answer = api.get(&format!("/me/ledger{query}"), &user.token).await;
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

#[tokio::test]
async fn every_line_says_what_it_did_to_the_balance() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let item = device.item(&user, 1);
    let vau = item["vauId"].as_str().unwrap().to_owned();
    api.deliver(Uuid::new_v4(), vec![item]).await;
    let staked = api.stake(&user, pool(&api).await, 2_000_000_000).await;
    let staked = good(staked, 201).await;

    let page = page(&api, &user, "").await;
    assert_eq!(page.get("nextCursor"), None);
    let lines: Vec<[&str; 6]> = page["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            [
                "kind",
                "account",
                "side",
                "amount",
                "balanceEffect",
                "sourceRef",
            ]
            .map(|name| line[name].as_str().unwrap())
        })
        .collect();
    let (two, five) = ("2000000000", "5000000000");
    let cause = page["entries"][0]["sourceRef"].as_str().unwrap();
    let recorded = format!("stake_events WHERE id = '{cause}'");
    assert_eq!(api.count(&recorded).await, 1);
    assert_eq!(
        lines,
        [
            ["stake_deposited", "user:staked", "credit", two, two, cause],
            [
                "stake_deposited",
                "user:available",
                "debit",
                two,
                "-2000000000",
                cause
            ],
            ["vau_reward", "user:available", "credit", five, five, &vau],
        ]
    );
    let first = &page["entries"][0];
    assert_eq!(first["transactionId"], staked["transactionId"]);
    assert_eq!(first["subject"], staked["poolAddress"]);
    assert!(first["effectiveAt"].as_str().unwrap().ends_with('Z'));
    assert!(first["recordedAt"].as_str().unwrap().ends_with('Z'));
    assert_eq!(page["entries"][1].get("subject"), None);

    // The way back, from the reward to the VAU.
    let trail = ledger::explain::trail(&api.db, &vau).await.unwrap();
    assert_eq!(trail.steps.len(), 1);
    assert_eq!(trail.vaus.len(), 1);
    assert_eq!(trail.vaus[0].vau_id, vau);
    assert_eq!(trail.vaus[0].transaction_id, Some(trail.steps[0].id));
    assert_eq!(trail.vaus[0].earned, 5_000_000_000);
    api.assert_sound().await;
}

#[tokio::test]
async fn nobody_sees_anothers_lines_even_with_the_others_cursor() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let (other, others) = api.user_with_device().await;
    let items = [
        device.item(&user, 1),
        device.item(&user, 2),
        others.item(&other, 1),
    ];
    api.deliver(Uuid::new_v4(), items.into()).await;
    let mine = page(&api, &user, "?limit=1").await;
    let theirs = page(&api, &other, "").await;
    assert_eq!(theirs["entries"].as_array().unwrap().len(), 1);
    let query = format!("?cursor={}", mine["nextCursor"].as_str().unwrap());
    for line in page(&api, &other, &query).await["entries"]
        .as_array()
        .unwrap()
    {
        assert_eq!(line["transactionId"], theirs["entries"][0]["transactionId"]);
    }
    let nobody = api.user().await;
    assert_eq!(
        page(&api, &nobody, "").await["entries"],
        serde_json::json!([])
    );
}

#[tokio::test]
async fn entries_that_come_meanwhile_neither_repeat_nor_hide_others() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let items = (0..9).map(|n| device.item(&user, n)).collect();
    api.deliver(Uuid::new_v4(), items).await;
    // Two lines each, so that a page ends within a transaction.
    let pool = pool(&api).await;
    for _ in 0..4 {
        good(api.stake(&user, pool, 1).await, 201).await;
    }
    let mut seen = Vec::new();
    let mut query = "?limit=4".to_owned();
    loop {
        let page = page(&api, &user, &query).await;
        for line in page["entries"].as_array().unwrap() {
            seen.push(format!("{} {}", line["transactionId"], line["account"]));
        }
        good(api.stake(&user, pool, 1).await, 201).await;
        match page["nextCursor"].as_str() {
            Some(cursor) => query = format!("?limit=4&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 17);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 17);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_page_of_entries_that_cannot_be_is_a_bad_request() {
    let api = Api::new().await;
    let user = api.user().await;
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "cursor=",
        "cursor=1",
        "cursor=-1.1",
        "cursor=01.1",
        "cursor=ffffffffffffffffff.1",
        "other=1",
        "limit=1&limit=2",
    ] {
        let response = api.get(&format!("/me/ledger?{query}"), &user.token).await;
        assert_eq!(problem(response, 400).await, "validation.failed", "{query}");
    }
}
