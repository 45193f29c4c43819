use crate::support::{Api, segment};
use contracts::ingest::QuarantineReason::Conflicting;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

const FIVE: u64 = 5_000_000_000;

#[tokio::test]
async fn a_segment_is_credited_once_however_often_it_comes() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let id = Uuid::new_v4();
    let items: Vec<Value> = (0..10).map(|n| device.item(&user, n)).collect();
    let first = api.deliver(id, items.clone()).await;
    assert_eq!(
        (first.counted, first.duplicates, first.quarantined.len()),
        (10, 0, 0)
    );
    let again = api.deliver(id, items.clone()).await;
    assert_eq!(
        (again.counted, again.duplicates, again.quarantined.len()),
        (0, 10, 0)
    );
    let elsewhere = api.deliver(Uuid::new_v4(), items).await;
    assert_eq!((elsewhere.counted, elsewhere.duplicates), (0, 10));
    assert_eq!(api.balance(&user).await, 10 * FIVE);
    api.assert_sound().await;
}

#[tokio::test]
async fn overlapping_segments_at_once_count_each_vau_once() {
    let api = Arc::new(Api::new().await);
    let (user, device) = api.user_with_device().await;
    let items: Vec<Value> = (0..60).map(|n| device.item(&user, n)).collect();
    let tasks: Vec<_> = (0..12)
        .map(|n| {
            let (api, mut items) = (Arc::clone(&api), items.clone());
            // Each in another order and with another part left out.
            items.rotate_left(n * 5);
            items.truncate(50);
            if n % 2 == 0 {
                items.reverse();
            }
            tokio::spawn(async move { api.deliver(Uuid::new_v4(), items).await })
        })
        .collect();
    let mut counted = 0;
    for task in tasks {
        counted += task.await.unwrap().counted;
    }
    assert_eq!(counted, 60);
    assert_eq!(api.balance(&user).await, 60 * FIVE);
    api.assert_sound().await;
}

#[tokio::test]
async fn the_same_id_with_another_payload_is_set_aside_and_the_first_stays() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let first = serde_json::to_value(device.accepted(&user, 1, "first")).unwrap();
    let second = serde_json::to_value(device.accepted(&user, 1, "second")).unwrap();
    assert_eq!(first["vauId"], second["vauId"]);
    let receipt = api
        .deliver(Uuid::new_v4(), vec![first.clone(), second.clone(), first])
        .await;
    assert_eq!((receipt.counted, receipt.duplicates), (1, 1));
    assert_eq!(receipt.quarantined[0].reason, Conflicting);
    assert_eq!(receipt.quarantined[0].index, 1);
    let later = api.deliver(Uuid::new_v4(), vec![second]).await;
    assert_eq!((later.counted, later.duplicates), (0, 0));
    assert_eq!(later.quarantined[0].reason, Conflicting);
    assert_eq!(api.balance(&user).await, FIVE);
    assert_eq!(api.count("vau_quarantine").await, 2);
    api.assert_sound().await;
}

#[tokio::test]
async fn one_bad_item_does_not_hold_up_ninety_nine_good_ones() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let mut items: Vec<Value> = (0..100).map(|n| device.item(&user, n)).collect();
    items[50] = json!({"what": "is this"});
    let id = Uuid::new_v4();
    for round in 0..2 {
        let receipt = api.deliver(id, items.clone()).await;
        assert_eq!(receipt.counted + receipt.duplicates, 99, "round {round}");
        assert_eq!(receipt.quarantined[0].index, 50);
    }
    assert_eq!(api.balance(&user).await, 99 * FIVE);
    assert_eq!(api.count("vau_quarantine").await, 1);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_payload_that_a_text_column_cannot_hold_is_still_counted() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let item = device.accepted(&user, 1, "nul \0, quote ', \u{1f600}");
    let receipt = api
        .deliver(Uuid::new_v4(), vec![serde_json::to_value(item).unwrap()])
        .await;
    assert_eq!(receipt.counted, 1);
    // And set aside, too.
    let nul = json!({"nul": "\0"});
    assert_eq!(
        api.deliver(Uuid::new_v4(), vec![nul])
            .await
            .quarantined
            .len(),
        1
    );
    api.assert_sound().await;
}

#[tokio::test]
async fn once_the_days_emission_is_used_up_a_vau_counts_for_nothing_but_counts() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let mut item = device.item(&user, 1);
    item["earned"] = json!("0");
    let receipt = api.deliver(Uuid::new_v4(), vec![item]).await;
    assert_eq!((receipt.counted, receipt.quarantined.len()), (1, 0));
    assert_eq!(api.balance(&user).await, 0);
    let page: Value = api
        .get("/me/rewards", &user.token)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(page["rewards"][0]["earned"], "0");
    assert!(page["rewards"][0].get("transactionId").is_none());
    api.assert_sound().await;
}

#[tokio::test]
async fn an_empty_segment_and_an_unknown_field_are_taken() {
    let api = Api::new().await;
    let mut newer = segment(Uuid::new_v4(), &[]);
    newer["added"] = json!("by a newer edge");
    assert_eq!(api.deliver_raw(&newer).await.status(), 200);
}
