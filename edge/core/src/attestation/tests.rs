//! Fear: something passes for an authenticator's word that is not one.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::device::Credential;
use contracts::vau::Attestation;
use domain::bytes::sha256;
use domain::vau::Vau;
use domain::{DeviceId, EpochMs, SiteId, WalletAddress};
use proptest::prelude::*;
use serde_json::{Value, json};

const RP: &str = "example.org";
const ORIGIN: &str = "https://app.example.org";

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn policy() -> Policy {
    Policy {
        rp_id: RP.to_owned(),
        origins: vec![ORIGIN.to_owned(), "https://example.org".to_owned()],
        require_user_verification: false,
    }
}

/// `{1: 1, 3: -8, -1: 6, -2: x}`
fn ed25519_key(x: &[u8; 32]) -> Vec<u8> {
    [&b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20"[..], x].concat()
}

fn auth_data(flags: u8, count: u32, rest: &[u8]) -> Vec<u8> {
    [
        &sha256(RP.as_bytes())[..],
        &[flags],
        &count.to_be_bytes(),
        rest,
    ]
    .concat()
}

fn client_data(kind: &str, challenge: &[u8; 32]) -> Value {
    json!({ "type": kind, "challenge": b64(challenge), "origin": ORIGIN, "crossOrigin": false, "other": "added" })
}

struct Case {
    client_data: Value,
    auth_data: Vec<u8>,
    signature: Vec<u8>,
    credential: Credential,
    id: String,
    policy: Policy,
}

fn with_vau<T>(use_it: impl FnOnce(&Vau<'_>) -> T) -> T {
    let (user, device) = (
        WalletAddress::from_bytes([3; 32]),
        DeviceId::from_bytes([4; 32]),
    );
    let site = SiteId::try_from("site").unwrap();
    use_it(&Vau {
        user_id: &user,
        device_id: &device,
        site_id: &site,
        timestamp: EpochMs::new(5).unwrap(),
        payload: "{}",
        attestation: None,
    })
}

impl Case {
    fn good() -> Self {
        let challenge = with_vau(|vau| vau.attestation_challenge());
        Self {
            client_data: client_data("webauthn.get", &challenge),
            auth_data: auth_data(0x05, 8, &[]),
            signature: vec![9; 64],
            credential: Credential {
                credential_id: b64([1, 2, 3]),
                public_key: b64(ed25519_key(&[7; 32])),
                sign_count: 7,
            },
            id: b64([1, 2, 3]),
            policy: policy(),
        }
    }

    fn judged(&self) -> Result<Assertion, Verdict> {
        let attestation = Attestation {
            credential_id: self.id.clone(),
            client_data_json: b64(self.client_data.to_string()),
            authenticator_data: b64(&self.auth_data),
            signature: b64(&self.signature),
            user_handle: None,
        };
        with_vau(|vau| assertion(&attestation, &self.credential, vau, &self.policy))
    }
}

#[test]
fn a_good_assertion_leaves_only_the_signature_to_check() {
    let case = Case::good();
    let judged = case.judged().unwrap();
    assert_eq!(judged.key, CoseKey::EdDsa { x: [7; 32] });
    let digest = sha256(case.client_data.to_string().as_bytes());
    assert_eq!(judged.signed, [&case.auth_data[..], &digest].concat());
    assert_eq!(judged.believe(false), Verdict::Invalid(Reason::Signature));
    let verified = Verdict::Verified {
        sign_count: 8,
        user_verified: true,
    };
    assert_eq!(judged.believe(true), verified);
}

#[test]
fn every_way_in_which_an_assertion_can_be_somebody_elses_has_its_reason() {
    let check = |expected: Reason, change: &dyn Fn(&mut Case)| {
        let mut case = Case::good();
        change(&mut case);
        assert_eq!(case.judged().unwrap_err(), Verdict::Invalid(expected));
    };
    check(Reason::Credential, &|c| c.id = b64([1, 2, 4]));
    check(Reason::Type, &|c| {
        c.client_data["type"] = "webauthn.create".into()
    });
    check(Reason::Challenge, &|c| {
        c.client_data["challenge"] = b64([0; 32]).into()
    });
    check(Reason::Challenge, &|c| {
        c.client_data["challenge"] =
            format!("{}=", c.client_data["challenge"].as_str().unwrap()).into()
    });
    for origin in [
        "https://example.org.evil.org",
        "http://app.example.org",
        "https://app.example.org/",
        "https://app.example.org:444",
        "",
    ] {
        check(Reason::Origin, &|c| c.client_data["origin"] = origin.into());
    }
    check(Reason::Origin, &|c| {
        c.client_data["crossOrigin"] = true.into()
    });
    check(Reason::Origin, &|c| c.policy.origins.clear());
    check(Reason::RpId, &|c| c.auth_data[0] ^= 1);
    check(Reason::RpId, &|c| c.policy.rp_id = "example.com".to_owned());
    check(Reason::UserAbsent, &|c| c.auth_data[32] = 0x04);
    check(Reason::UserNotVerified, &|c| {
        c.auth_data[32] = 0x01;
        c.policy.require_user_verification = true;
    });
    for (count, kept) in [(7, 7), (6, 7), (0, 7)] {
        check(Reason::Replayed, &|c| {
            c.auth_data = auth_data(0x05, count, &[]);
            c.credential.sign_count = kept;
        });
    }
    check(Reason::Malformed, &|c| c.auth_data.truncate(36));
    check(Reason::Malformed, &|c| c.auth_data.push(0));
    check(Reason::Malformed, &|c| c.auth_data[32] |= 0x80);
    check(Reason::Malformed, &|c| c.auth_data[32] |= 0x10);
    check(Reason::Malformed, &|c| {
        c.auth_data = auth_data(0x85, 8, b"\x80")
    });
    check(Reason::Malformed, &|c| {
        c.auth_data = auth_data(0x45, 8, &attested(&ed25519_key(&[7; 32])))
    });
    check(Reason::Malformed, &|c| c.client_data = "x".into());
    check(Reason::Malformed, &|c| {
        c.client_data["crossOrigin"] = "no".into()
    });
    check(Reason::Malformed, &|c| {
        c.client_data["pad"] = "x".repeat(2_048).into()
    });
    check(Reason::Malformed, &|c| c.signature.truncate(63));
    check(Reason::Signature, &|c| c.signature = vec![0; 64]);
}

#[test]
fn an_authenticator_that_does_not_count_is_believed_and_extensions_are_passed_over() {
    let mut case = Case::good();
    case.auth_data = auth_data(0x81, 0, b"\xa1\x61a\xf5");
    case.credential.sign_count = 0;
    let verdict = case.judged().unwrap().believe(true);
    assert_eq!(
        verdict,
        Verdict::Verified {
            sign_count: 0,
            user_verified: false
        }
    );
}

#[test]
fn a_stored_key_of_another_kind_is_not_held_against_the_caller() {
    let p384 = b"\xa3\x01\x02\x03\x38\x22\x20\x02";
    for key in [&p384[..], b"", b"\xa0"] {
        let mut case = Case::good();
        case.credential.public_key = b64(key);
        assert_eq!(case.judged().unwrap_err(), Verdict::Unsupported);
    }
}

fn attested(key: &[u8]) -> Vec<u8> {
    [&[5; 16][..], &[0, 3, 1, 2, 3], key].concat()
}

fn object(format: &str, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    let name = u8::try_from(format.len()).unwrap();
    [
        &b"\xa3\x63fmt"[..],
        &[0x60 + name],
        format.as_bytes(),
        b"\x67attStmt\xa0\x68authData\x59",
        &length,
        data,
    ]
    .concat()
}

fn register(client_data: &Value, object: &[u8]) -> Result<NewCredential, Reason> {
    registration(
        &b64(client_data.to_string()),
        &b64(object),
        &[6; 32],
        &policy(),
    )
}

#[test]
fn a_new_credential_is_read_and_its_make_only_recorded() {
    let key = ed25519_key(&[7; 32]);
    let data = auth_data(0x45, 1, &attested(&key));
    // Long enough for the two-byte length that is written above.
    let data = [&data[..], &[]].concat();
    let padded = auth_data(
        0xc5,
        1,
        &[&attested(&key)[..], b"\xa1\x61a\x59\x01\x00", &[0; 256]].concat(),
    );
    assert!(data.len() < 256);
    let found = register(
        &client_data("webauthn.create", &[6; 32]),
        &object("packed", &padded),
    )
    .unwrap();
    assert_eq!(found.credential_id, b64([1, 2, 3]));
    assert_eq!(found.public_key, b64(&key));
    assert_eq!((found.algorithm, found.sign_count), ("EdDSA", 1));
    assert_eq!((found.aaguid, found.format.as_str()), ([5; 16], "packed"));
    assert!(found.user_verified);
}

#[test]
fn a_registration_that_is_none_is_refused() {
    let key = ed25519_key(&[7; 32]);
    let tail = [&b"\xa1\x61a\x59\x01\x00"[..], &[0; 256]].concat();
    let data = |flags, attested: &[u8]| auth_data(flags, 1, &[attested, &tail].concat());
    let good = object("none", &data(0xc1, &attested(&key)));
    let client = client_data("webauthn.create", &[6; 32]);
    assert!(register(&client, &good).is_ok());
    for (reason, client, object) in [
        (
            Reason::Type,
            client_data("webauthn.get", &[6; 32]),
            good.clone(),
        ),
        (
            Reason::Challenge,
            client_data("webauthn.create", &[7; 32]),
            good.clone(),
        ),
        (
            Reason::UserAbsent,
            client.clone(),
            object("none", &data(0xc0, &attested(&key))),
        ),
        (
            Reason::Malformed,
            client.clone(),
            object("None", &data(0xc1, &attested(&key))),
        ),
        (
            Reason::Malformed,
            client.clone(),
            object("", &data(0xc1, &attested(&key))),
        ),
        (
            Reason::Malformed,
            client.clone(),
            object("none", &data(0x81, &[])),
        ),
        (
            Reason::Malformed,
            client.clone(),
            object("none", &data(0xc1, &[5; 17])),
        ),
        (
            Reason::Malformed,
            client.clone(),
            good[..good.len() - 1].to_vec(),
        ),
        (
            Reason::Malformed,
            client.clone(),
            [&good[..], &[0]].concat(),
        ),
        (
            Reason::Malformed,
            client.clone(),
            b"\xa2\x63fmt\x64none\x63fmt\x64none".to_vec(),
        ),
        (Reason::Malformed, client.clone(), Vec::new()),
        (
            Reason::UnsupportedKey,
            client.clone(),
            object(
                "none",
                &data(0xc1, &attested(b"\xa3\x01\x02\x03\x38\x22\x20\x02")),
            ),
        ),
        (
            Reason::Malformed,
            client.clone(),
            object("none", &data(0xc1, &attested(b"\xa2\x01\x01\x01\x01"))),
        ),
    ] {
        assert_eq!(register(&client, &object), Err(reason), "{object:02x?}");
    }
}

#[test]
fn keys_of_the_three_kinds_are_read_and_no_others() {
    let es256 = [
        &b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20"[..],
        &[1; 32],
        b"\x22\x58\x20",
        &[2; 32],
    ]
    .concat();
    assert_eq!(
        CoseKey::parse(&es256),
        Ok(CoseKey::Es256 {
            x: [1; 32],
            y: [2; 32]
        })
    );
    let rs256 = |length: u16, first: u8, exponent: &[u8]| {
        let mut n = vec![9; usize::from(length)];
        n[0] = first;
        let head = [
            &b"\xa4\x01\x03\x03\x39\x01\x00\x20\x59"[..],
            &length.to_be_bytes(),
        ]
        .concat();
        [
            &head[..],
            &n,
            &[0x21, 0x40 + u8::try_from(exponent.len()).unwrap()],
            exponent,
        ]
        .concat()
    };
    assert!(
        matches!(CoseKey::parse(&rs256(256, 0x80, &[1, 0, 1])), Ok(CoseKey::Rs256 { n }) if n.len() == 256)
    );
    for weak in [
        rs256(255, 1, &[1, 0, 1]),
        rs256(513, 1, &[1, 0, 1]),
        rs256(256, 0, &[1, 0, 1]),
        rs256(256, 1, &[3]),
    ] {
        assert!(CoseKey::parse(&weak).is_err());
    }
    // The algorithm of one kind with the key of another.
    let mixed = [&b"\xa4\x01\x01\x03\x26\x20\x06\x21\x58\x20"[..], &[1; 32]].concat();
    assert_eq!(CoseKey::parse(&mixed), Err(Reason::UnsupportedKey));
    assert_eq!(
        CoseKey::parse(&[&es256[..], &[0]].concat()),
        Err(Reason::Malformed)
    );
}

proptest! {
    #[test]
    fn no_bytes_stop_the_readers(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = CoseKey::parse(&bytes);
        let mut case = Case::good();
        case.auth_data.clone_from(&bytes);
        let _ = case.judged();
        let client = client_data("webauthn.create", &[6; 32]);
        let _ = register(&client, &bytes);
        let _ = registration(&b64(&bytes), "", &[6; 32], &policy());
    }

    #[test]
    fn a_changed_byte_never_makes_another_credential_of_a_registration(at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let data = auth_data(0xc1, 1, &[&attested(&ed25519_key(&[7; 32]))[..], b"\xa1\x61a\x59\x01\x00", &[0; 256]].concat());
        let mut bytes = object("none", &data);
        let index = at.index(bytes.len());
        bytes[index] ^= flip;
        if let Ok(found) = register(&client_data("webauthn.create", &[6; 32]), &bytes) {
            prop_assert_eq!(found.algorithm, "EdDSA");
        }
    }
}
