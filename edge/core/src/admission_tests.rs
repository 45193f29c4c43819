use super::*;
use domain::{DeviceId, SiteId};
use proptest::prelude::*;

const NOW: u64 = 1_767_225_600_000 + 1_000;
const USER: [u8; 32] = [1; 32];

fn at(ms: u64) -> EpochMs {
    EpochMs::new(ms).unwrap()
}

fn user() -> WalletAddress {
    WalletAddress::from_bytes(USER)
}

fn item(index: u32, timestamp: u64, payload: &str) -> Candidate {
    Candidate {
        index,
        site_id: SiteId::try_from("site").unwrap(),
        timestamp: at(timestamp),
        payload: payload.to_owned(),
        attestation: None,
        signature: Some("00".repeat(64)),
        verdict: Verdict::None,
    }
}

fn group(items: Vec<Candidate>) -> Group {
    Group {
        device_id: DeviceId::from_bytes([2; 32]),
        lookup: Lookup::NotAsked,
        signed: None,
        others: Vec::new(),
        items,
    }
}

fn one(payload: &str) -> Group {
    group(vec![item(0, NOW, payload)])
}

fn device() -> DeviceRecord {
    DeviceRecord::confirmed(None, user(), at(NOW))
}

fn facts(now: u64) -> Facts {
    Facts {
        now: at(now),
        emission_cap: Amount::from_twist(12),
    }
}

fn decide(group: Group, device: DeviceRecord, now: u64, promised: Amount) -> Admission {
    admit(&user(), group, device, facts(now), promised, |_| None)
}

fn receipts(admission: &Admission) -> Vec<VauAccepted> {
    let accepted = |(_, outcome): &(u32, Outcome)| match outcome {
        Outcome::Accepted(receipt) => Some(receipt.clone()),
        _ => None,
    };
    admission.outcomes.iter().filter_map(accepted).collect()
}

#[test]
fn the_emission_of_a_day_is_promised_in_full_or_not_at_all() {
    let items = (0..3).map(|n| item(n, NOW + u64::from(n), "x")).collect();
    let all = decide(group(items), device(), NOW, Amount::ZERO);
    let earned: Vec<_> = receipts(&all)
        .iter()
        .map(|r| (r.trust_score, r.earned))
        .collect();
    let twist = Amount::from_twist;
    assert_eq!(earned, [(50, twist(5)), (60, twist(6)), (60, Amount::ZERO)]);
    assert_eq!(all.promised, twist(11));
}

#[test]
fn a_vau_twice_in_one_batch_is_paid_once() {
    let all = decide(
        group(vec![
            item(0, NOW, "x"),
            item(1, NOW, "x"),
            item(2, NOW, "y"),
        ]),
        device(),
        NOW,
        Amount::ZERO,
    );
    assert!(matches!(all.outcomes[1].1, Outcome::Duplicate(_)));
    assert_eq!(all.outcomes[2].1, Outcome::Conflicting);
    assert_eq!(all.accepted.unwrap().items.len(), 1);
    assert_eq!(all.device.unwrap().vau_count, 1);
}

#[test]
fn the_same_vau_gets_its_first_answer_even_when_the_day_is_full() {
    let full = DeviceRecord {
        day_count: MAX_PER_DEVICE_PER_DAY,
        ..device()
    };
    let first = decide(one("x"), device(), NOW, Amount::ZERO);
    let receipt = receipts(&first)[0].clone();
    let known = first.accepted.unwrap().vaus().next().map(|vau| Known {
        fingerprint: vau.fingerprint,
        accepted_at: vau.accepted_at,
        trust_score: vau.trust_score,
        earned: vau.earned,
    });
    let again = |payload| {
        admit(
            &user(),
            one(payload),
            full.clone(),
            facts(NOW),
            Amount::ZERO,
            |_| known.clone(),
        )
    };
    assert_eq!(again("x").outcomes, [(0, Outcome::Duplicate(receipt))]);
    assert_eq!(again("x").device, None);
    let conflict = again("y");
    assert_eq!(conflict.outcomes, [(0, Outcome::Conflicting)]);
    assert!(conflict.conflicts[0].group.items[0].earned.is_zero());
    assert_eq!(conflict.device.unwrap().anomalies, 1);
}

#[test]
fn a_device_is_credited_8640_times_a_day_and_again_tomorrow() {
    let almost = DeviceRecord {
        day_count: MAX_PER_DEVICE_PER_DAY - 1,
        ..device()
    };
    let both = decide(
        group(vec![item(0, NOW, "x"), item(1, NOW + 1, "x")]),
        almost,
        NOW,
        Amount::ZERO,
    );
    assert!(matches!(both.outcomes[0].1, Outcome::Accepted(_)));
    assert_eq!(both.outcomes[1].1, Outcome::DeviceCap(DAY_MS - 1_000));
    let tomorrow = decide(one("x"), both.device.unwrap(), NOW + DAY_MS, Amount::ZERO);
    assert_eq!(tomorrow.device.unwrap().day_count, 1);
}

#[test]
fn a_device_of_another_user_is_not_taken_for_the_caller_s() {
    let theirs = DeviceRecord {
        user_id: WalletAddress::from_bytes([9; 32]),
        ..device()
    };
    let standing =
        |kept: Option<&DeviceRecord>, lookup| standing(&user(), kept.cloned(), lookup, at(NOW));
    assert_eq!(standing(Some(&theirs), Lookup::NotAsked), Standing::Unknown);
    assert_eq!(
        standing(Some(&theirs), Lookup::Unavailable),
        Standing::Unavailable
    );
    assert_eq!(standing(None, Lookup::NotAsked), Standing::Unknown);
    assert_eq!(standing(None, Lookup::NotTheirs), Standing::Unknown);
}

#[test]
fn a_registration_is_asked_about_again_and_survives_an_outage() {
    let later = at(NOW + crate::device::RECHECK_DEVICE_MS);
    let standing = |lookup| standing(&user(), Some(device()), lookup, later);
    assert_eq!(standing(Lookup::NotAsked), Standing::Unknown);
    assert_eq!(standing(Lookup::Unavailable), Standing::Confirmed(device()));
    let Standing::Confirmed(confirmed) = standing(Lookup::Registered) else {
        panic!("not confirmed")
    };
    assert_eq!(confirmed.confirmed_at, later);
}

#[test]
fn what_the_backend_recomputes_is_what_was_promised() {
    let seen = DeviceRecord {
        last_seen: Some(at(NOW - 2 * DAY_MS)),
        vau_count: 98,
        attestations: 1,
        ..device()
    };
    let items = (0..4).map(|n| item(n, NOW + u64::from(n), "x")).collect();
    let all = admit(
        &user(),
        group(items),
        seen,
        Facts {
            now: at(NOW),
            emission_cap: Amount::from_twist(1_000),
        },
        Amount::ZERO,
        |_| None,
    );
    let told = receipts(&all);
    let sent: Vec<_> = all.accepted.unwrap().vaus().collect();
    for (vau, receipt) in sent.iter().zip(&told) {
        assert_eq!(vau.trust_score, trust_score(&vau.device));
        assert_eq!(vau.earned, reward(vau.trust_score));
        assert_eq!(
            (vau.vau_id, vau.trust_score, vau.earned),
            (receipt.vau_id, receipt.trust_score, receipt.earned)
        );
    }
    assert_eq!(sent[0].device.since_last_ms, Some(2 * DAY_MS));
    assert_eq!(all.device.unwrap().vau_count, 102);
}

#[test]
fn evidence_counts_for_what_comes_later_and_forged_evidence_against_the_device() {
    let verified = |n| Candidate {
        verdict: Verdict::Verified {
            credential_id: "c".into(),
            sign_count: 5,
        },
        ..item(n, NOW + u64::from(n), "x")
    };
    let first = decide(group(vec![verified(0)]), device(), NOW, Amount::ZERO)
        .device
        .unwrap();
    assert_eq!((first.attestations, first.anomalies), (1, 0));
    let replayed = decide(group(vec![verified(1)]), first, NOW, Amount::ZERO)
        .device
        .unwrap();
    assert_eq!((replayed.attestations, replayed.anomalies), (1, 1));
    let forged = Candidate {
        verdict: Verdict::Invalid,
        ..item(0, NOW, "x")
    };
    let forged = decide(group(vec![forged]), device(), NOW, Amount::ZERO);
    assert_eq!(forged.device.unwrap().anomalies, 1);
}

#[test]
fn a_device_that_is_in_two_places_at_once_loses_trust() {
    let elsewhere = Candidate {
        site_id: SiteId::try_from("other").unwrap(),
        ..item(1, NOW, "x")
    };
    let both = decide(
        group(vec![item(0, NOW, "x"), elsewhere]),
        device(),
        NOW,
        Amount::ZERO,
    );
    assert_eq!(receipts(&both).len(), 2);
    assert_eq!(both.device.unwrap().anomalies, 1);
}

#[test]
fn a_device_without_trust_earns_nothing() {
    let mut cheat = device();
    cheat.note_anomalies(4, at(NOW));
    let refused = decide(one("x"), cheat, NOW, Amount::ZERO);
    assert_eq!(refused.outcomes, [(0, Outcome::LowTrust)]);
    assert_eq!((refused.accepted, refused.device), (None, None));
}

#[test]
fn a_batch_carries_the_fingerprints_of_what_is_not_in_it() {
    let mut signed = group(vec![item(0, NOW, "x"), item(2, NOW, "y")]);
    let refused = OtherItem {
        index: 1,
        fingerprint: Fingerprint::from_bytes([7; 32]),
    };
    signed.others.push(refused);
    signed.signed = Some(SignedBatch {
        batch_id: "b".into(),
        submitted_at: at(NOW),
        signature: "11".repeat(64),
        others: Vec::new(),
    });
    let others = decide(signed, device(), NOW, Amount::ZERO)
        .accepted
        .unwrap()
        .batch
        .unwrap()
        .others;
    assert_eq!(others.iter().map(|o| o.index).collect::<Vec<_>>(), [1, 2]);
}

proptest! {
    #[test]
    fn no_order_of_vaus_promises_more_than_the_cap(
        cap in 0u32..60, steps in prop::collection::vec((0u64..DAY_MS * 8, 1u32..5), 1..40),
    ) {
        let cap = Amount::from_twist(cap);
        let (mut device, mut promised, mut paid) = (device(), Amount::ZERO, Amount::ZERO);
        for (step, count) in steps {
            let items = (0..count).map(|n| item(n, NOW + step + u64::from(n), "x")).collect();
            let facts = Facts { now: at(NOW + step), emission_cap: cap };
            let all = admit(&user(), group(items), device.clone(), facts, promised, |_| None);
            for vau in all.accepted.iter().flat_map(AcceptedGroup::vaus) {
                paid = paid.checked_add(vau.earned).unwrap();
                prop_assert!(vau.earned.is_zero() || vau.earned == reward(vau.trust_score));
            }
            promised = all.promised;
            device = all.device.unwrap_or(device);
        }
        prop_assert!(paid <= cap);
        prop_assert_eq!(paid, promised);
    }
}
