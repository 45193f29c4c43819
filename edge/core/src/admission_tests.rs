use super::*;
use domain::{DeviceId, SiteId};
use proptest::prelude::*;

const NOW: u64 = 1_767_225_600_000 + 1_000;

fn at(ms: u64) -> EpochMs {
    EpochMs::new(ms).unwrap()
}

fn vau(payload: &str) -> VauSubmission {
    VauSubmission {
        user_id: WalletAddress::from_bytes([1; 32]),
        device_id: DeviceId::from_bytes([2; 32]),
        site_id: SiteId::try_from("site").unwrap(),
        timestamp: at(NOW),
        payload: payload.to_owned(),
        signature: "00".repeat(64),
        attestation: None,
    }
}

fn device() -> DeviceRecord {
    DeviceRecord::confirmed(None, WalletAddress::from_bytes([1; 32]), at(NOW))
}

fn facts(device: Option<&DeviceRecord>) -> Facts<'_> {
    Facts {
        now: at(NOW),
        device,
        lookup: Lookup::NotAsked,
        earlier: None,
        promised_today: Amount::ZERO,
        emission_cap: Amount::from_twist(12),
    }
}

fn accepted(admission: Admission) -> (AcceptedVau, DeviceRecord, Amount) {
    match admission {
        Admission::Accepted {
            item,
            device,
            promised_today,
        } => (*item, device, promised_today),
        other => panic!("not accepted: {other:?}"),
    }
}

#[test]
fn the_emission_of_a_day_is_promised_in_full_or_not_at_all() {
    let device = device();
    let mut facts = facts(Some(&device));
    let (first, device, promised) = accepted(admit(vau("1"), &facts));
    assert_eq!(
        (first.earned, promised),
        (Amount::from_twist(5), Amount::from_twist(5))
    );
    facts.device = Some(&device);
    facts.promised_today = promised;
    let (second, _, promised) = accepted(admit(vau("2"), &facts));
    assert_eq!(
        (second.trust_score, second.earned),
        (60, Amount::from_twist(6))
    );
    facts.promised_today = promised;
    let (third, _, promised) = accepted(admit(vau("3"), &facts));
    assert_eq!(
        (third.earned, promised),
        (Amount::ZERO, Amount::from_twist(11))
    );
}

#[test]
fn the_same_vau_gets_its_first_answer_even_when_the_day_is_full() {
    let full = DeviceRecord {
        day_count: MAX_PER_DEVICE_PER_DAY,
        ..device()
    };
    let (item, ..) = accepted(admit(vau("x"), &facts(Some(&device()))));
    let earlier = Earlier {
        fingerprint: item.fingerprint,
        receipt: receipt(&item),
    };
    let facts = Facts {
        earlier: Some(&earlier),
        ..facts(Some(&full))
    };
    assert_eq!(
        admit(vau("x"), &facts),
        Admission::Duplicate(receipt(&item))
    );
    assert!(
        matches!(admit(vau("y"), &facts), Admission::Conflicting(other) if other.earned.is_zero())
    );
}

#[test]
fn a_device_is_credited_8640_times_a_day_and_again_tomorrow() {
    let almost = DeviceRecord {
        day_count: MAX_PER_DEVICE_PER_DAY - 1,
        ..device()
    };
    let (_, full, _) = accepted(admit(vau("x"), &facts(Some(&almost))));
    assert_eq!(
        admit(vau("x"), &facts(Some(&full))),
        Admission::DeviceCap {
            wait_ms: DAY_MS - 1_000
        }
    );
    let tomorrow = Facts {
        now: at(NOW + DAY_MS),
        lookup: Lookup::Unavailable,
        ..facts(Some(&full))
    };
    let (_, fresh, _) = accepted(admit(vau("x"), &tomorrow));
    assert_eq!(fresh.day_count, 1);
}

#[test]
fn a_device_of_another_user_is_not_taken_for_the_caller_s() {
    let theirs = DeviceRecord {
        user_id: WalletAddress::from_bytes([9; 32]),
        ..device()
    };
    assert_eq!(
        admit(vau("x"), &facts(Some(&theirs))),
        Admission::DeviceUnknown
    );
    let unavailable = Facts {
        lookup: Lookup::Unavailable,
        ..facts(Some(&theirs))
    };
    assert_eq!(admit(vau("x"), &unavailable), Admission::DeviceUnavailable);
    assert_eq!(admit(vau("x"), &facts(None)), Admission::DeviceUnknown);
}

#[test]
fn a_registration_is_asked_about_again_and_survives_an_outage() {
    let device = device();
    let later = Facts {
        now: at(NOW + RECHECK_DEVICE_MS),
        ..facts(Some(&device))
    };
    assert_eq!(admit(vau("x"), &later), Admission::DeviceUnknown);
    accepted(admit(
        vau("x"),
        &Facts {
            lookup: Lookup::Unavailable,
            ..later
        },
    ));
    let (_, confirmed, _) = accepted(admit(
        vau("x"),
        &Facts {
            lookup: Lookup::Registered,
            ..later
        },
    ));
    assert_eq!(confirmed.confirmed_at, later.now);
}

#[test]
fn what_the_backend_recomputes_is_what_was_promised() {
    let seen = DeviceRecord {
        last_seen: Some(at(NOW - 2 * DAY_MS)),
        vau_count: 57,
        ..device()
    };
    let (item, after, _) = accepted(admit(vau("x"), &facts(Some(&seen))));
    assert_eq!(item.device.since_last_ms, Some(2 * DAY_MS));
    assert_eq!(item.trust_score, trust_score(&item.device));
    assert_eq!(item.earned, reward(item.trust_score));
    assert_eq!(
        (item.vau_id, item.fingerprint),
        (
            vau("x").signed_fields().id(),
            vau("x").signed_fields().fingerprint()
        )
    );
    assert_eq!((after.vau_count, after.last_seen), (58, Some(at(NOW))));
}

proptest! {
    #[test]
    fn no_order_of_vaus_promises_more_than_the_cap(
        cap in 0u32..60, steps in prop::collection::vec(0u64..DAY_MS * 8, 1..60),
    ) {
        let cap = Amount::from_twist(cap);
        let (mut device, mut promised, mut paid) = (device(), Amount::ZERO, Amount::ZERO);
        for step in steps {
            let now = at(NOW + step);
            let facts = Facts {
                now, device: Some(&device), lookup: Lookup::Unavailable, earlier: None,
                promised_today: promised, emission_cap: cap,
            };
            let (item, next, sum) = accepted(admit(vau("x"), &facts));
            paid = paid.checked_add(item.earned).unwrap();
            prop_assert!(item.earned.is_zero() || item.earned == reward(item.trust_score));
            (device, promised) = (next, sum);
        }
        prop_assert!(paid <= cap);
        prop_assert_eq!(paid, promised);
    }
}
