use crate::support::{Api, Device, problem};
use contracts::ingest::QuarantineReason::{
    DeviceUnknown, RewardMismatch, SignatureInvalid, Unreadable,
};
use contracts::ingest::{AcceptedGroup, OtherItem, SegmentReceipt};
use domain::{Amount, EpochMs};
use influencer_api::store::edge_reports;
use reqwest::Method;
use serde_json::{Value, json};
use service::clock;
use uuid::Uuid;

const FIVE: u64 = 5_000_000_000;
const SIX: u64 = 6_000_000_000;

async fn deliver(api: &Api, id: Uuid, groups: &[Value]) -> SegmentReceipt {
    let segment = json!({ "version": 2, "segmentId": id, "shard": "0", "items": groups });
    let answer = api.deliver_raw(&segment).await;
    assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
    answer.json().await.unwrap()
}

fn json(group: &AcceptedGroup) -> Value {
    serde_json::to_value(group).unwrap()
}

#[tokio::test]
async fn a_batch_is_credited_once_whether_its_vaus_are_signed_or_the_whole() {
    let api = Api::new().await;
    for sealed in [false, true] {
        let (user, device) = api.user_with_device().await;
        let group = json(&device.group(&user, &[1, 2, 3], sealed));
        let first = deliver(&api, Uuid::new_v4(), std::slice::from_ref(&group)).await;
        assert_eq!(
            (first.counted, first.duplicates, first.quarantined.len()),
            (3, 0, 0)
        );
        let again = deliver(&api, Uuid::new_v4(), &[group]).await;
        assert_eq!((again.counted, again.duplicates), (0, 3));
        assert_eq!(api.balance(&user).await, FIVE + 2 * SIX);
    }
    assert_eq!(api.count("vau_batches").await, 2);
    assert_eq!(api.count("vaus WHERE batch_group = 0").await, 3);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_seal_proves_exactly_the_vaus_it_was_made_over() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let good = device.group(&user, &[1, 2, 3], true);
    let prints: Vec<_> = good.vaus().map(|vau| vau.fingerprint).collect();
    let with = |change: &dyn Fn(&mut AcceptedGroup)| {
        let mut group = good.clone();
        change(&mut group);
        json(&group)
    };
    // One travels elsewhere, or was refused: its fingerprint is enough.
    let partly = with(&|group| {
        group.items.remove(1);
        group.items[1].earned = Amount::from_units(SIX).unwrap();
        let other = OtherItem {
            index: 1,
            fingerprint: prints[1],
        };
        group.batch.as_mut().unwrap().others.push(other);
    });
    assert_eq!(deliver(&api, Uuid::new_v4(), &[partly]).await.counted, 2);

    let (other, other_device) = api.user_with_device().await;
    let stolen = other_device.seal(good.accepted_at, &prints);
    let cases: Vec<(&str, Value)> = vec![
        ("a VAU left out", with(&|g| drop(g.items.remove(1)))),
        (
            "another order",
            with(&|g| {
                g.items[0].index = 1;
                g.items[1].index = 0;
            }),
        ),
        ("a place twice", with(&|g| g.items[1].index = 0)),
        ("a place left free", with(&|g| g.items[2].index = 7)),
        (
            "another payload",
            with(&|g| g.items[0].payload = "x".into()),
        ),
        (
            "another name",
            with(&|g| g.batch.as_mut().unwrap().batch_id = "x".into()),
        ),
        (
            "another time",
            with(&|g| g.batch.as_mut().unwrap().submitted_at = EpochMs::new(1).unwrap()),
        ),
        (
            "another device's seal",
            with(&|g| g.batch.as_mut().unwrap().signature.clone_from(&stolen)),
        ),
        ("another user", with(&|g| g.user_id = other.wallet)),
        ("no seal and no signatures", with(&|g| g.batch = None)),
    ];
    for (what, group) in cases {
        let receipt = deliver(&api, Uuid::new_v4(), &[group]).await;
        assert_eq!(receipt.counted, 0, "{what}");
        assert!(
            receipt
                .quarantined
                .iter()
                .all(|q| q.reason == SignatureInvalid),
            "{what}: {receipt:?}"
        );
    }
    assert_eq!(api.balance(&user).await, FIVE + SIX);
    assert_eq!(api.balance(&other).await, 0);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_group_that_is_wrong_holds_up_no_other() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let greedy = {
        let mut group = device.group(&user, &[11, 12], false);
        group.items[0].earned = Amount::from_units(SIX).unwrap();
        group
    };
    let trusted_too_much = {
        let mut group = device.group(&user, &[21], false);
        group.device.anomalies = 1;
        group
    };
    let untrusted = {
        let mut group = device.group(&user, &[31], false);
        group.device.anomalies = 9;
        group.items[0].earned = Amount::ZERO;
        group
    };
    let stranger = Device::new().group(&user, &[41], true);
    let good = device.group(&user, &[1], true);
    let id = Uuid::new_v4();
    let groups = [
        json!({"what": "is this"}),
        json(&greedy),
        json(&trusted_too_much),
        json(&untrusted),
        json(&stranger),
        json(&good),
    ];
    for round in 0..2 {
        let receipt = deliver(&api, id, &groups).await;
        assert_eq!(receipt.counted + receipt.duplicates, 2, "round {round}");
        let aside: Vec<_> = receipt
            .quarantined
            .iter()
            .map(|q| (q.index, q.reason))
            .collect();
        assert_eq!(
            aside,
            [
                (0, Unreadable),
                (1, RewardMismatch),
                (3, RewardMismatch),
                (4, RewardMismatch),
                (5, DeviceUnknown)
            ]
        );
    }
    assert_eq!(api.balance(&user).await, FIVE + SIX);
    api.assert_sound().await;
}

#[tokio::test]
async fn what_became_of_a_vau_is_told_for_its_user_only() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let (stranger, _) = api.user_with_device().await;
    let mut bad = device.group(&user, &[2], false);
    bad.items[0].payload = "altered".into();
    let good = device.group(&user, &[1], true);
    let ids = [&good, &bad].map(|group| group.vaus().next().unwrap().vau_id);
    let mut unknown = Device::new().group(&user, &[3], true);
    unknown.user_id = user.wallet;
    let aside = unknown.vaus().next().unwrap().vau_id;
    deliver(
        &api,
        Uuid::new_v4(),
        &[json(&good), json(&bad), json(&unknown)],
    )
    .await;
    let ask = async |wallet, id| {
        let path = format!("/internal/v1/users/{wallet}/vaus/{id}");
        api.signed(Method::GET, &path, Vec::new()).await
    };
    let found: Value = ask(user.wallet, ids[0]).await.json().await.unwrap();
    assert_eq!(
        (&found["state"], &found["earned"], &found["trustScore"]),
        (&json!("counted"), &json!("5000000000"), &json!(50))
    );
    let found: Value = ask(user.wallet, aside).await.json().await.unwrap();
    assert_eq!(
        (&found["state"], &found["earned"]),
        (&json!("quarantined"), &json!("0"))
    );
    assert_eq!(
        problem(ask(stranger.wallet, ids[0]).await, 404).await,
        "not_found"
    );
    assert_eq!(
        problem(
            ask(user.wallet, domain::VauId::from_bytes([0; 16])).await,
            404
        )
        .await,
        "not_found"
    );
}

#[tokio::test]
async fn vaus_that_the_edge_promised_and_nobody_counted_are_noticed() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let now = clock::now_ms().get();
    let hour = 3_600_000;
    let ended = now - now % hour - hour;
    let mut group = device.group(&user, &[1, 2], false);
    group.accepted_at = EpochMs::new(ended - 1_000).unwrap();
    deliver(&api, Uuid::new_v4(), &[json(&group)]).await;
    let report = async |count: u64, hour_ends_at: u64| {
        let body = json!({
            "version": 1, "segmentId": Uuid::new_v4(), "shard": "vau-0", "hourEndsAt": hour_ends_at,
            "count": count, "promised": "11000000000",
        })
        .to_string();
        api.signed(Method::POST, "/internal/v1/edge-reports", body.into_bytes())
            .await
    };
    assert_eq!(report(2, ended).await.status(), 200);
    let missing = async || edge_reports::missing(&api.db).await.unwrap();
    assert_eq!(missing().await, 0);
    // Of another object, or told twice with another name: three were promised and two are there.
    assert_eq!(report(1, ended).await.status(), 200);
    assert_eq!(missing().await, 1);
    assert_eq!(
        problem(report(u64::MAX, ended).await, 400).await,
        "validation.failed"
    );
    assert_eq!(
        problem(report(1, u64::MAX).await, 400).await,
        "validation.failed"
    );
}
