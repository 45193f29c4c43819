use super::*;
use contracts::ingest::{AcceptedItem, SignedBatch};
use domain::reward::{DeviceHistory, reward, trust_score};
use domain::vau::batch_canonical;
use domain::{DeviceId, EpochMs, SiteId, WalletAddress};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn group(signed: bool, lengths: &[usize]) -> AcceptedGroup {
    let device = DeviceHistory {
        attestations: 1,
        vau_count: 95,
        since_last_ms: Some(200_000_000),
        anomalies: 0,
    };
    let item = |(index, length): (u32, &usize)| AcceptedItem {
        index,
        site_id: SiteId::try_from("site").unwrap(),
        timestamp: EpochMs::new(u64::from(index)).unwrap(),
        payload: "x".repeat(*length),
        attestation: None,
        signature: (!signed).then(|| "00".repeat(64)),
        earned: reward(trust_score(&device.later(index))),
    };
    AcceptedGroup {
        user_id: WalletAddress::from_bytes([1; 32]),
        device_id: DeviceId::from_bytes([2; 32]),
        accepted_at: EpochMs::new(7).unwrap(),
        device,
        batch: signed.then(|| SignedBatch {
            batch_id: "b".into(),
            submitted_at: EpochMs::new(1).unwrap(),
            signature: "11".repeat(64),
            others: Vec::new(),
        }),
        items: (0u32..).zip(lengths).map(item).collect(),
    }
}

/// What the backend verifies a batch's signature over.
fn signed_bytes(group: &AcceptedGroup) -> Vec<u8> {
    let batch = group.batch.as_ref().unwrap();
    let mut prints: BTreeMap<u32, _> = batch
        .others
        .iter()
        .map(|o| (o.index, o.fingerprint))
        .collect();
    prints.extend(
        group
            .items
            .iter()
            .map(|i| i.index)
            .zip(group.vaus().map(|v| v.fingerprint)),
    );
    let prints: Vec<_> = prints.into_values().collect();
    batch_canonical(&batch.batch_id, batch.submitted_at, &prints)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn packing_loses_reorders_and_repeats_nothing_and_changes_no_promise(
        groups in prop::collection::vec((any::<bool>(), prop::collection::vec(prop_oneof![0usize..400, 4_000usize..8_000], 1..100)), 0..12),
    ) {
        let waiting: Vec<Waiting> = (1u64..).zip(&groups).map(|(seq, (signed, lengths))| Waiting { seq, group: group(*signed, lengths) }).collect();
        let expected: Vec<_> = waiting.iter().flat_map(|w| w.group.vaus()).collect();
        let signed: Vec<_> = waiting.iter().filter(|w| w.group.batch.is_some()).map(|w| signed_bytes(&w.group)).collect();
        let mut next = 0u128;
        let packed = pack("vau-0", waiting, || { next += 1; Uuid::from_u128(next) });
        let (mut seen, mut last) = (Vec::new(), 0);
        for segment in &packed {
            prop_assert!(segment.body.len() <= MAX_SEGMENT_BYTES);
            prop_assert!(segment.vaus <= MAX_SEGMENT_VAUS);
            prop_assert!(segment.first_seq >= last && segment.last_seq >= segment.first_seq);
            last = segment.last_seq;
            let read: VauSegment = serde_json::from_str(&segment.body).unwrap();
            prop_assert_eq!((read.segment_id, read.version), (segment.segment_id, SEGMENT_VERSION));
            prop_assert!(!read.items.is_empty());
            for item in read.items {
                let group: AcceptedGroup = serde_json::from_value(item).unwrap();
                if group.batch.is_some() {
                    prop_assert!(signed.contains(&signed_bytes(&group)));
                }
                seen.extend(group.vaus());
            }
        }
        prop_assert_eq!(seen, expected);
    }
}

#[test]
fn half_a_million_vaus_a_day_fit_in_a_free_queue() {
    let batch = |seq| Waiting {
        seq,
        group: group(true, &[60; 20]),
    };
    // 13 batches of 20 in 45 seconds are 500,000 VAUs a day.
    let packed = pack("vau-0", (1..=13).map(batch).collect(), Uuid::nil);
    assert_eq!(
        packed.len(),
        1,
        "{} bytes a VAU",
        packed[0].body.len() / 260
    );
}
