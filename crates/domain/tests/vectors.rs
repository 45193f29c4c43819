//! The golden vectors of `tests/vectors/vau-v1.json`, byte for byte.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use domain::http_hmac::{HmacError, SignedRequest};
use domain::{DeviceId, EpochMs, Fingerprint, SiteId, WalletAddress, device, ed25519, vau};
use ed25519_dalek::{Signer, SigningKey};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    single: Vec<Single>,
    batch: BatchCase,
    device: RegistrationCase,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Single {
    device_seed_hex: String,
    vau: Fields,
    /// Left out where the bytes are long; the fingerprint still fixes them.
    canonical_hex: Option<String>,
    canonical_length: usize,
    fingerprint: String,
    vau_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    user_id: WalletAddress,
    device_id: DeviceId,
    site_id: SiteId,
    timestamp: EpochMs,
    payload: String,
    signature: Option<String>,
    attestation: Option<AttestationFields>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AttestationFields {
    credential_id: String,
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    authenticator_data: String,
    signature: String,
    user_handle: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchCase {
    #[serde(rename = "batch")]
    fields: Submission,
    canonical_hex: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Submission {
    batch_id: String,
    submitted_at: EpochMs,
    device_id: DeviceId,
    vaus: Vec<Fields>,
    signature: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationCase {
    user_id: WalletAddress,
    device_id: DeviceId,
    issued_at: EpochMs,
    canonical_hex: String,
    proof: String,
}

impl Fields {
    fn vau(&self) -> vau::Vau<'_> {
        vau::Vau {
            user_id: &self.user_id,
            device_id: &self.device_id,
            site_id: &self.site_id,
            timestamp: self.timestamp,
            payload: &self.payload,
            attestation: self.attestation.as_ref().map(|a| vau::Attestation {
                credential_id: &a.credential_id,
                client_data_json: &a.client_data_json,
                authenticator_data: &a.authenticator_data,
                signature: &a.signature,
                user_handle: a.user_handle.as_deref(),
            }),
        }
    }
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../tests/vectors/vau-v1.json")).unwrap()
}

fn signature(hex_text: &str) -> [u8; 64] {
    hex::decode(hex_text).unwrap().try_into().unwrap()
}

#[test]
fn every_single_vau_gives_the_published_bytes() {
    let cases = vectors().single;
    assert!(cases.len() >= 5);
    for case in cases {
        let vau = case.vau.vau();
        let canonical = vau.canonical();
        if let Some(expected) = case.canonical_hex {
            assert_eq!(hex::encode(&canonical), expected);
        }
        assert_eq!(canonical.len(), case.canonical_length);
        assert_eq!(vau.fingerprint().to_string(), case.fingerprint);
        assert_eq!(vau.id().to_string(), case.vau_id);
        let seed: [u8; 32] = hex::decode(&case.device_seed_hex)
            .unwrap()
            .try_into()
            .unwrap();
        let published = signature(case.vau.signature.as_deref().unwrap());
        assert_eq!(
            SigningKey::from_bytes(&seed).sign(&canonical).to_bytes(),
            published
        );
        assert!(ed25519::verify(case.vau.device_id.as_bytes(), &canonical, &published).is_ok());
    }
}

#[test]
fn a_batch_is_signed_over_its_fingerprints() {
    let BatchCase {
        fields: batch,
        canonical_hex,
    } = vectors().batch;
    let prints: Vec<Fingerprint> = batch.vaus.iter().map(|v| v.vau().fingerprint()).collect();
    let canonical = vau::batch_canonical(&batch.batch_id, batch.submitted_at, &prints);
    assert_eq!(hex::encode(&canonical), canonical_hex);
    let published = signature(&batch.signature);
    assert!(ed25519::verify(batch.device_id.as_bytes(), &canonical, &published).is_ok());
}

#[test]
fn a_device_proves_its_key_over_the_published_bytes() {
    let case = vectors().device;
    let bytes = device::registration_canonical(&case.user_id, &case.device_id, case.issued_at);
    assert_eq!(hex::encode(&bytes), case.canonical_hex);
    assert!(ed25519::verify(case.device_id.as_bytes(), &bytes, &signature(&case.proof)).is_ok());
}

#[test]
fn no_field_can_be_moved_into_its_neighbour() {
    let case = &vectors().single[0];
    let original = case.vau.vau();
    let (a, b) = (
        SiteId::try_from("ab").unwrap(),
        SiteId::try_from("a").unwrap(),
    );
    let left = vau::Vau {
        site_id: &a,
        payload: "c",
        ..original
    };
    let right = vau::Vau {
        site_id: &b,
        payload: "bc",
        ..original
    };
    assert_ne!(left.canonical(), right.canonical());
}

#[test]
fn an_integrators_hmac_is_the_published_one_and_nothing_else_passes() {
    let case: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/vectors/vau-v1.json")).unwrap();
    let text = |name: &str| case["hmac"][name].as_str().unwrap().to_owned();
    let (method, path, body, secret) = (text("method"), text("path"), text("body"), text("secret"));
    let timestamp = EpochMs::new(text("timestamp").parse().unwrap()).unwrap();
    let request = SignedRequest {
        method: &method,
        path: &path,
        timestamp,
        body: body.as_bytes(),
    };
    let signature = request.sign(secret.as_bytes());
    assert_eq!(signature, text("signature"));
    assert_eq!(
        request.verify(secret.as_bytes(), &signature, timestamp),
        Ok(())
    );
    assert_eq!(
        request.verify(b"other", &signature, timestamp),
        Err(HmacError::Invalid)
    );
    assert_eq!(
        request.verify(secret.as_bytes(), "", timestamp),
        Err(HmacError::Invalid)
    );
    let late = EpochMs::new(timestamp.get() + 300_001).unwrap();
    assert_eq!(
        request.verify(secret.as_bytes(), &signature, late),
        Err(HmacError::Window)
    );
    let altered = SignedRequest {
        body: b"{}",
        ..request
    };
    assert_eq!(
        altered.verify(secret.as_bytes(), &signature, timestamp),
        Err(HmacError::Invalid)
    );
}
