//! Device signatures: their text form, and the keys WebCrypto would wrongly accept.
//!
//! WebCrypto verifies Ed25519 without refusing points of small order, for which anyone can make a
//! signature over anything. The backend's verifier refuses them; the edge must agree.

/// Encodings of the points of small order, sign bit cleared: 0, 1, two of order 8, p-1, p, p+1.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    with_first(1),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    near_p(0xec),
    near_p(0xed),
    near_p(0xee),
];

#[allow(clippy::indexing_slicing)] // a constant index into an array of 32, checked by the compiler
const fn with_first(first: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = first;
    bytes
}

#[allow(clippy::indexing_slicing)] // as above
const fn near_p(first: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = first;
    bytes[31] = 0x7f;
    bytes
}

/// A signature's bytes, from exactly 128 lower-case hex digits.
pub fn parse(text: &str) -> Option<[u8; 64]> {
    let mut bytes = [0; 64];
    let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
    (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

/// Whether key or signature use a point of small order: refused without asking WebCrypto.
pub fn is_forgeable(key: &[u8; 32], signature: &[u8; 64]) -> bool {
    let (r, _) = signature.split_first_chunk::<32>().unwrap_or((key, &[]));
    is_small_order(key) || is_small_order(r)
}

fn is_small_order(point: &[u8; 32]) -> bool {
    let mut bytes = *point;
    if let Some(last) = bytes.last_mut() {
        *last &= 0x7f;
    }
    SMALL_ORDER.contains(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ed25519::is_signing_key;
    use proptest::prelude::*;

    #[test]
    fn every_listed_point_is_one_that_the_strict_verifier_refuses() {
        for mut point in SMALL_ORDER {
            for sign in [0, 0x80] {
                point[31] = (point[31] & 0x7f) | sign;
                assert!(!is_signing_key(&point), "{}", hex::encode(point));
                assert!(is_small_order(&point));
            }
        }
    }

    #[test]
    fn a_forgery_under_the_identity_key_is_stopped() {
        let identity = with_first(1);
        let mut forged = [0; 64];
        forged[0] = 1;
        assert!(is_forgeable(&identity, &forged));
        let real = [9; 32];
        assert!(is_forgeable(&real, &forged));
        assert!(!is_forgeable(&real, &[9; 64]));
    }

    #[test]
    fn a_signature_has_one_text_form() {
        assert_eq!(parse(&"0a".repeat(64)), Some([10; 64]));
        for bad in [
            "",
            "0a",
            &"0A".repeat(64),
            &"0g".repeat(64),
            &"0a".repeat(65),
        ] {
            assert_eq!(parse(bad), None);
        }
    }

    proptest! {
        #[test]
        fn a_key_that_the_strict_verifier_takes_is_not_refused_here(bytes: [u8; 32]) {
            prop_assert!(!(is_signing_key(&bytes) && is_small_order(&bytes)));
        }
    }
}
