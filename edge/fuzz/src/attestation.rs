//! What authenticators write.

use crate::parts::{now, part};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::device::Credential;
use contracts::vau::Attestation;
use domain::vau::Vau;
use domain::{DeviceId, SiteId, WalletAddress};
use edge_core::attestation::{self, CoseKey, MAX_OBJECT_BYTES, Policy, Verdict, ecdsa_raw};

/// The challenge of registrations in the corpus.
const CHALLENGE: [u8; 32] = [6; 32];

fn policy() -> Policy {
    Policy {
        rp_id: "example.org".to_owned(),
        origins: vec!["https://app.example.org".to_owned()],
        require_user_verification: false,
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Client data, authenticator data, signature, and the credential's key; the first also as the text of the others. What
/// is signed is what was sent, and nothing is believed whose signature does not hold.
pub(crate) fn assertion(input: &[u8]) {
    let mut rest = input;
    let [client_data, auth_data, signature, key] = [(); 4].map(|()| part(&mut rest));
    let credential = Credential {
        credential_id: "AQID".to_owned(),
        public_key: encode(key),
        sign_count: 7,
    };
    judge(
        &Attestation {
            credential_id: credential.credential_id.clone(),
            client_data_json: encode(client_data),
            authenticator_data: encode(auth_data),
            signature: encode(signature),
            user_handle: None,
        },
        &credential,
        auth_data,
    );
    let raw = String::from_utf8_lossy(client_data).into_owned();
    let sent = Attestation {
        credential_id: credential.credential_id.clone(),
        client_data_json: raw.clone(),
        authenticator_data: raw.clone(),
        signature: raw.clone(),
        user_handle: Some(raw),
    };
    judge(&sent, &credential, &[]);
}

fn judge(attestation: &Attestation, credential: &Credential, auth_data: &[u8]) {
    let (user_id, device_id) = (
        WalletAddress::from_bytes([3; 32]),
        DeviceId::from_bytes([4; 32]),
    );
    let Ok(site_id) = SiteId::try_from("site") else {
        return;
    };
    let vau = Vau {
        user_id: &user_id,
        device_id: &device_id,
        site_id: &site_id,
        timestamp: now(),
        payload: "{}",
        attestation: None,
    };
    if let Ok(judged) = attestation::assertion(attestation, credential, &vau, &policy()) {
        assert_eq!(judged.signed.get(..auth_data.len()), Some(auth_data));
        assert_eq!(judged.signed.len(), auth_data.len() + 32);
        assert!(!matches!(judged.believe(false), Verdict::Verified { .. }));
    }
}

/// Client data and attestation object. A credential that is accepted has a key that can be read again.
pub(crate) fn registration(input: &[u8]) {
    let mut rest = input;
    let [client_data, object] = [(); 2].map(|()| part(&mut rest));
    let texts = (encode(client_data), encode(object));
    if let Ok(new) = attestation::registration(&texts.0, &texts.1, &CHALLENGE, &policy()) {
        assert!(object.len() <= MAX_OBJECT_BYTES);
        let key = URL_SAFE_NO_PAD.decode(&new.public_key).unwrap_or_default();
        let algorithm = CoseKey::parse(&key).map(|key| key.algorithm());
        assert_eq!(algorithm, Ok(new.algorithm));
        let id = URL_SAFE_NO_PAD
            .decode(&new.credential_id)
            .unwrap_or_default();
        assert!((1..=1_023).contains(&id.len()));
    }
    let raw = String::from_utf8_lossy(client_data);
    let as_sent = attestation::registration(&raw, &raw, &CHALLENGE, &policy());
    assert!(as_sent.is_err(), "one text is both");
}

/// A key, and an ECDSA signature in DER, which has one spelling.
pub(crate) fn key(input: &[u8]) {
    if let Ok(CoseKey::Rs256 { n }) = CoseKey::parse(input) {
        assert!((256..=512).contains(&n.len()) && n.first() != Some(&0));
    }
    if let Ok(raw) = ecdsa_raw(input) {
        let (r, s) = raw.split_at(32);
        let body = [number(r), number(s)].concat();
        let length = u8::try_from(body.len()).unwrap_or_default();
        assert_eq!([&[0x30, length][..], &body].concat(), input);
    }
}

/// A positive number in DER.
fn number(digits: &[u8]) -> Vec<u8> {
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    let mut short = digits.get(zeros..).unwrap_or_default().to_vec();
    if short.first().is_none_or(|first| *first >= 0x80) {
        short.insert(0, 0);
    }
    let length = u8::try_from(short.len()).unwrap_or_default();
    [&[0x02, length][..], &short].concat()
}
