use super::*;
use contracts::ingest::AcceptedItem;
use domain::reward::DeviceHistory;
use domain::{DeviceId, Fingerprint, SiteId, WalletAddress};
use proptest::prelude::*;

fn at(ms: u64) -> EpochMs {
    EpochMs::new(ms).unwrap()
}

fn entry(n: u64, when: u64, class: Class) -> (Entry, Vec<(VauId, Known)>) {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&n.to_le_bytes());
    let known = Known {
        fingerprint: Fingerprint::from_bytes([3; 32]),
        accepted_at: at(when),
        trust_score: 60,
        earned: Amount::from_twist(6),
    };
    let group = AcceptedGroup {
        user_id: WalletAddress::from_bytes([u8::try_from(n % 7).unwrap(); 32]),
        device_id: DeviceId::from_bytes([1; 32]),
        accepted_at: at(when),
        device: DeviceHistory {
            attestations: 0,
            vau_count: 3,
            since_last_ms: Some(1),
            anomalies: 0,
        },
        batch: None,
        items: vec![AcceptedItem {
            index: 0,
            site_id: SiteId::try_from("site").unwrap(),
            timestamp: at(when),
            payload: String::new(),
            attestation: None,
            signature: None,
            earned: known.earned,
        }],
    };
    let entry = Entry {
        class,
        address: format!("address-{}", n % 3),
        promised: Amount::from_units(n + 1).unwrap(),
        groups: vec![group],
        conflicts: Vec::new(),
    };
    (entry, vec![(VauId::from_bytes(id), known)])
}

proptest! {
    /// The object is put to sleep at any moment: whatever it knew is rebuilt from checkpoint and journal.
    #[test]
    fn an_object_that_wakes_up_knows_what_it_knew(
        steps in prop::collection::vec((0u64..9_000, any::<bool>(), any::<bool>()), 1..60),
        stop in 0usize..60,
    ) {
        let mut live = Memory::at(Checkpoint::default());
        let mut saved = Checkpoint::default();
        let mut rows = Vec::new();
        let mut now = 86_400_000 * 5 - 100_000;
        for (n, (step, batch, flush)) in (0u64..).zip(steps.iter().take(stop + 1)) {
            now += step;
            let class = if *batch { Class::Batch } else { Class::Single };
            let (entry, vaus) = entry(n, now, class);
            let _ = live.take(class, &entry.address, 1_000, at(now));
            let seq = live.next();
            live.apply(seq, at(now), &entry, vaus.clone());
            rows.push((seq, now, entry, vaus));
            if *flush {
                let waited = live.waiting();
                live.flushed_to(seq, waited, None);
                saved = live.checkpoint(seq, at(now));
            }
        }
        let mut woken = Memory::at(saved.clone());
        for (seq, when, entry, vaus) in rows {
            if seq > saved.applied {
                woken.replay(seq, at(when), &entry, vaus);
            } else {
                woken.recall(seq, vaus);
            }
        }
        prop_assert_eq!(woken.checkpoint(saved.flushed, at(now)), live.checkpoint(saved.flushed, at(now)));
        prop_assert_eq!((woken.waiting(), woken.waiting_since()), (live.waiting(), live.waiting_since()));
        prop_assert_eq!((woken.next(), woken.recent.len()), (live.next(), live.recent.len()));
        prop_assert_eq!(woken.promised(at(now)), live.promised(at(now)));
    }
}

#[test]
fn a_new_day_has_promised_nothing() {
    let mut memory = Memory::at(Checkpoint::default());
    let (entry, vaus) = entry(4, 86_399_999, Class::Single);
    memory.apply(1, at(86_399_999), &entry, vaus);
    assert_eq!(memory.promised(at(86_399_999)).units(), 5);
    assert_eq!(memory.promised(at(86_400_000)), Amount::ZERO);
}

#[test]
fn a_checkpoint_of_an_older_build_is_read() {
    let old: Checkpoint = serde_json::from_str(r#"{"flushed":3,"applied":4}"#).unwrap();
    assert_eq!(Memory::at(old).next(), 5);
}

#[test]
fn the_audit_log_is_told_together_or_in_time_and_again_when_it_was_away() {
    let record = |ms| -> Record {
        serde_json::from_value(serde_json::json!({
            "at": ms, "actor": "vau-0", "action": "segment.close", "object": "s", "result": "kept",
        }))
        .unwrap()
    };
    let mut memory = Memory::at(Checkpoint::default());
    memory.note(record(5));
    assert_eq!(memory.to_tell(at(5)), None);
    assert_eq!(memory.to_tell(at(5 + TOLD_AFTER_MS)).unwrap().len(), 1);
    let mut woken = Memory::at(memory.checkpoint(0, at(5)));
    assert_eq!(woken.tell_at(), Some(5 + TOLD_AFTER_MS));
    for n in 0..9 {
        woken.note(record(6 + n));
    }
    assert_eq!(woken.to_tell(at(15)).unwrap().len(), 10);
    woken.told(None, at(15));
    assert_eq!(
        (woken.to_tell(at(15)), woken.tell_at()),
        (None, Some(15 + TOLD_AGAIN_MS))
    );
    woken.told(Some(10), at(20));
    assert_eq!(woken.tell_at(), None);
    for n in 0..=MOST_DIGESTS as u64 {
        woken.note(record(n));
    }
    assert_eq!(
        (woken.digests.len(), woken.totals.audit_lost),
        (MOST_DIGESTS, 1)
    );
}
