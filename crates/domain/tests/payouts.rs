//! The golden vectors of `tests/vectors/payouts-v1.json`, number for number.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use domain::Amount;
use domain::payout::Policy;
use serde_json::Value;

fn amount(value: &Value) -> Amount {
    Amount::try_from(value.as_str().unwrap()).unwrap()
}

#[test]
fn every_amount_is_taken_apart_as_published() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/payouts-v1.json")).unwrap();
    let cases = vectors["quotes"].as_array().unwrap();
    assert!(cases.len() >= 50);
    for case in cases {
        let bps = u16::try_from(case["platformFeeBps"].as_u64().unwrap()).unwrap();
        let (minimum, fee) = (amount(&case["minimum"]), amount(&case["processingFee"]));
        let policy = Policy::new(minimum, bps, fee, Amount::ZERO, 0).unwrap();
        let quote = policy.quote(amount(&case["amount"]));
        if let Some(error) = case["error"].as_str() {
            assert_eq!(format!("{:?}", quote.unwrap_err()), error, "{case}");
            continue;
        }
        let quote = quote.unwrap();
        assert_eq!(quote.platform_fee, amount(&case["platformFee"]), "{case}");
        assert_eq!(quote.net, amount(&case["net"]), "{case}");
    }
}
