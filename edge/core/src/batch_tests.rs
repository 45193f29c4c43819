use super::*;
use crate::batch_answer::answer;
use crate::shard::Outcome;
use contracts::vau::BatchItemStatus::{Accepted, Duplicate, Rejected};
use domain::{Amount, SiteId};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: u64 = 1_767_225_600_000;

fn user() -> WalletAddress {
    WalletAddress::from_bytes([1; 32])
}

fn item(n: u64, signed: bool) -> Value {
    let mut item = json!({
        "userId": user(), "deviceId": DeviceId::from_bytes([2; 32]),
        "siteId": SiteId::try_from("site").unwrap(), "timestamp": NOW - n, "payload": "{}",
    });
    if signed {
        item["signature"] = json!("00".repeat(64));
    }
    item
}

#[allow(clippy::needless_pass_by_value)] // lists are made where it is called
fn batch(vaus: Vec<Value>) -> Value {
    json!({"batchId": "b-1", "submittedAt": NOW, "vaus": vaus})
}

fn read(value: &Value) -> Result<Batch, Refusal> {
    parse(value.to_string().as_bytes())
}

fn code(value: &Value) -> Code {
    read(value).unwrap_err().code
}

#[test]
fn a_hundred_vaus_are_a_batch_and_none_or_one_more_is_not() {
    let of = |n| batch((0..n).map(|i| item(i, true)).collect());
    assert_eq!(read(&of(100)).unwrap().items().len(), 100);
    assert_eq!(code(&of(101)), Code::VauBatchSize);
    assert_eq!(code(&of(0)), Code::VauBatchSize);
}

#[test]
fn an_item_that_is_wrong_is_named_and_does_not_hold_up_the_others() {
    let mut twice = item(3, true).to_string();
    twice.insert_str(1, "\"payload\":\"x\",");
    let text = batch(vec![
        item(0, true),
        item(1, false),
        json!(7),
        json!("twice"),
    ])
    .to_string();
    let text = text.replace("\"twice\"", &twice);
    let (groups, refused) = parse(text.as_bytes()).unwrap().divide();
    assert_eq!(groups[0].items.len(), 1);
    let pointers: Vec<_> = refused
        .iter()
        .map(|(index, why)| (*index, why.code, why.fields[0].pointer.as_str()))
        .collect();
    assert_eq!(
        pointers,
        [
            (1, Code::ValidationFailed, "/signature"),
            (2, Code::ValidationFailed, ""),
            (3, Code::ValidationFailed, "/payload")
        ]
    );
}

#[test]
fn an_envelope_that_is_wrong_is_refused_as_a_whole() {
    for (change, expected) in [
        (json!({"batchId": ""}), Code::ValidationFailed),
        (json!({"batchId": "a b"}), Code::ValidationFailed),
        (json!({"batchId": "x".repeat(129)}), Code::ValidationFailed),
        (json!({"batchId": 7}), Code::ValidationFailed),
        (json!({"submittedAt": "now"}), Code::ValidationFailed),
        (json!({"vaus": {}}), Code::ValidationFailed),
        (json!({"more": 1}), Code::ValidationFailed),
        (json!({"walletAddress": "x"}), Code::RequestIdentityInBody),
    ] {
        let mut value = batch(vec![item(0, true)]);
        value
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        assert_eq!(code(&value), expected, "{change}");
    }
    assert_eq!(parse(b"{").unwrap_err().code, Code::RequestMalformed);
    assert_eq!(
        parse(&vec![b' '; MAX_BODY_BYTES + 1]).unwrap_err().code,
        Code::RequestTooLarge
    );
}

#[test]
fn a_signature_over_the_whole_covers_every_item_of_one_device() {
    let sealed = |vaus| {
        let mut value = batch(vaus);
        value["signature"] = json!("11".repeat(64));
        value
    };
    let good = read(&sealed(vec![item(0, false), item(1, false)])).unwrap();
    let prints: Vec<_> = good
        .items()
        .iter()
        .map(|(_, v)| v.signed_fields().fingerprint())
        .collect();
    let seal = good.seal.clone().unwrap();
    assert_eq!(
        seal.message,
        batch_canonical("b-1", EpochMs::new(NOW).unwrap(), &prints)
    );
    assert_eq!(seal.signature, Some([0x11; 64]));
    let refusal = read(&sealed(vec![item(0, false), json!({})])).unwrap_err();
    assert_eq!(refusal.fields[0].pointer, "/vaus/1/userId");
    let refusal = read(&sealed(vec![item(0, false), item(1, true)])).unwrap_err();
    assert_eq!(refusal.fields[0].pointer, "/vaus/1/signature");
    let mut other = item(1, false);
    other["deviceId"] = json!(DeviceId::from_bytes([3; 32]));
    assert_eq!(
        code(&sealed(vec![item(0, false), other])),
        Code::VauSignatureInvalid
    );
}

#[test]
fn an_item_may_be_five_minutes_older_than_its_batch() {
    let at = |ms| EpochMs::new(ms).unwrap();
    let mut batch = read(&batch(vec![item(300_000, true), item(300_001, true)])).unwrap();
    assert_eq!(
        batch.check_time(at(NOW + 30_001)).unwrap_err().code,
        Code::VauStale
    );
    assert_eq!(
        batch.check_time(at(NOW - 5_001)).unwrap_err().code,
        Code::VauFuture
    );
    batch.check_time(at(NOW + 30_000)).unwrap();
    let (groups, refused) = batch.divide();
    assert_eq!(
        (groups[0].items.len(), refused[0].0, refused[0].1.code),
        (1, 1, Code::VauStale)
    );
}

#[test]
fn what_is_refused_of_a_sealed_batch_still_vouches_for_the_rest() {
    let mut value = batch(vec![item(0, false), item(300_001, false)]);
    value["signature"] = json!("11".repeat(64));
    let mut batch = read(&value).unwrap();
    batch.check_time(EpochMs::new(NOW).unwrap()).unwrap();
    let (groups, _) = batch.divide();
    assert_eq!(groups[0].others[0].index, 1);
    assert!(groups[0].signed.is_some() && groups[0].items[0].signature.is_none());
}

#[test]
fn a_batch_of_too_many_devices_is_cut() {
    let of_device = |n: u8| {
        let mut item = item(u64::from(n), true);
        item["deviceId"] = json!(DeviceId::from_bytes([n; 32]));
        item
    };
    let (groups, refused) = read(&batch((0..12).map(of_device).collect()))
        .unwrap()
        .divide();
    assert_eq!((groups.len(), refused.len()), (10, 2));
}

#[test]
fn every_item_is_answered_once_in_order() {
    let receipt = contracts::vau::VauAccepted {
        vau_id: domain::VauId::from_bytes([1; 16]),
        earned: Amount::from_twist(5),
        trust_score: 50,
        timestamp: EpochMs::new(NOW).unwrap(),
    };
    let told = answer(
        "b".into(),
        vec![(1, Refusal::new(Code::VauStale, "old"))],
        vec![
            (2, Outcome::Duplicate(receipt.clone())),
            (0, Outcome::Accepted(receipt)),
            (3, Outcome::LowTrust),
        ],
    );
    let statuses: Vec<_> = told
        .items
        .iter()
        .map(|i| (i.index, i.status, i.code))
        .collect();
    assert_eq!(
        statuses,
        [
            (0, Accepted, None),
            (1, Rejected, Some(Code::VauStale)),
            (2, Duplicate, None),
            (3, Rejected, Some(Code::VauLowTrust))
        ]
    );
    assert_eq!(
        (told.accepted, told.duplicates, told.rejected, told.earned),
        (1, 1, 2, Amount::from_twist(5))
    );
    let text = serde_json::to_value(&told).unwrap();
    assert_eq!(text["items"][0]["earned"], "5000000000");
    assert!(text["items"][1].get("earned").is_none());
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*", bytes: Vec<u8>) {
        let _ = (parse(text.as_bytes()), parse(&bytes));
    }
}
