//! What the queue may do: deliver again, or deliver what the edge would not have accepted.

use client::{Client, now};
use contracts::ingest::{
    AcceptedGroup, AcceptedItem, QuarantineReason, SEGMENT_VERSION, SegmentReceipt, VauSegment,
};
use contracts::vau::VauSubmission;
use domain::http_hmac::{KEY_ID_HEADER, SIGNATURE_HEADER, SignedRequest, TIMESTAMP_HEADER};
use domain::reward::{DeviceHistory, reward, trust_score};
use e2e::{Turn, Walker};
use tokio::task::JoinSet;
use twistctl::platform::Secrets;
use uuid::Uuid;

const PATH: &str = "/internal/v1/vau-batches";

pub(crate) fn segment(vau: &VauSubmission) -> VauSegment {
    let device = DeviceHistory {
        attestations: 0,
        vau_count: 0,
        since_last_ms: None,
        anomalies: 0,
    };
    let item = AcceptedItem {
        index: 0,
        site_id: vau.site_id.clone(),
        timestamp: vau.timestamp,
        payload: vau.payload.clone(),
        attestation: None,
        signature: Some(vau.signature.clone()),
        earned: reward(trust_score(&device)),
    };
    let group = AcceptedGroup {
        user_id: vau.user_id,
        device_id: vau.device_id,
        accepted_at: now(),
        device,
        batch: None,
        items: vec![item],
    };
    VauSegment {
        version: SEGMENT_VERSION,
        segment_id: Uuid::now_v7(),
        shard: "e2e".into(),
        items: vec![serde_json::to_value(group).unwrap()],
    }
}

async fn deliver(turn: &Turn, segment: &VauSegment) -> SegmentReceipt {
    send(
        turn.client(),
        turn.ingest_secret().to_owned(),
        segment.clone(),
    )
    .await
}

async fn send(client: Client, secret: String, segment: VauSegment) -> SegmentReceipt {
    let body = serde_json::to_vec(&segment).unwrap();
    let timestamp = now();
    let signature = SignedRequest {
        method: "POST",
        path: PATH,
        timestamp,
        body: &body,
    }
    .sign(secret.as_bytes());
    let request = client
        .request("POST".parse().unwrap(), &client.endpoints.api, PATH)
        .header("content-type", "application/json")
        .header(KEY_ID_HEADER, Secrets::INGEST_KEY)
        .header(TIMESTAMP_HEADER, timestamp.to_string())
        .header(SIGNATURE_HEADER, signature)
        .body(body);
    client.send(request).await.unwrap().success().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_delivered_many_times_at_once_is_counted_once() {
    let turn = Turn::take().await;
    let walker = Walker::new(turn.client()).await;
    let segment = segment(&walker.vau());
    let mut deliveries = JoinSet::new();
    for _ in 0..8 {
        let secret = turn.ingest_secret().to_owned();
        deliveries.spawn(send(turn.client(), secret, segment.clone()));
    }
    let receipts = deliveries.join_all().await;
    let counted: u32 = receipts.iter().map(|receipt| receipt.counted).sum();
    let duplicates: u32 = receipts.iter().map(|receipt| receipt.duplicates).sum();
    assert_eq!((counted, duplicates), (1, 7));
    let balance = walker.client.balance(&walker.session).await.unwrap();
    assert_eq!(balance.available, reward(50));
    turn.assert_ledger().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_vau_under_a_counted_id_is_set_aside() {
    let turn = Turn::take().await;
    let walker = Walker::new(turn.client()).await;
    let first = walker.vau();
    assert_eq!(deliver(&turn, &segment(&first)).await.counted, 1);
    let mut second = first;
    second.payload = "{\"other\":true}".into();
    walker.device.sign_vau(&mut second);
    let receipt = deliver(&turn, &segment(&second)).await;
    assert_eq!(receipt.counted, 0);
    assert_eq!(receipt.quarantined[0].reason, QuarantineReason::Conflicting);
    let balance = walker.client.balance(&walker.session).await.unwrap();
    assert_eq!(balance.available, reward(50));
    turn.assert_ledger().await;
}
