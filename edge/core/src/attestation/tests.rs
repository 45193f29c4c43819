//! Fear: something passes for an authenticator's word that is not one.

mod registration;

use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::device::Credential;
use contracts::vau::Attestation;
use domain::bytes::sha256;
use domain::vau::Vau;
use domain::{DeviceId, EpochMs, SiteId, WalletAddress};
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
        let mut challenge = [0; 32];
        with_vau(|vau| challenge = vau.attestation_challenge());
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
        c.client_data["type"] = "webauthn.create".into();
    });
    check(Reason::Challenge, &|c| {
        c.client_data["challenge"] = b64([0; 32]).into();
    });
    check(Reason::Challenge, &|c| {
        c.client_data["challenge"] =
            format!("{}=", c.client_data["challenge"].as_str().unwrap()).into();
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
        c.client_data["crossOrigin"] = true.into();
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
        c.auth_data = auth_data(0x85, 8, b"\x80");
    });
    check(Reason::Malformed, &|c| {
        c.auth_data = auth_data(0x45, 8, &registration::attested(&ed25519_key(&[7; 32])));
    });
    check(Reason::Malformed, &|c| c.client_data = "x".into());
    check(Reason::Malformed, &|c| {
        let members = ["type", "challenge", "origin"];
        let member = |name: &&str| c.client_data[name].clone();
        c.client_data = members.iter().map(member).collect();
    });
    check(Reason::Malformed, &|c| {
        c.client_data["crossOrigin"] = "no".into();
    });
    check(Reason::Malformed, &|c| {
        c.client_data["pad"] = "x".repeat(2_048).into();
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
