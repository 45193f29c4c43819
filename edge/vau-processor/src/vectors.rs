//! The golden vectors, run by the functions as they are compiled into the Worker. Only tests build this; the
//! exports are reachable by a service binding, never by HTTP.

// Exported to JavaScript, not to Rust; what crosses that border is owned.
#![allow(unreachable_pub, clippy::needless_pass_by_value)]

use crate::webcrypto;
use contracts::vau::VauSubmission;
use domain::http_hmac::SignedRequest;
use domain::{DeviceId, EpochMs, Fingerprint, WalletAddress, device, vau};
use edge_core::signature;
use serde::Deserialize;
use serde_json::json;
use wasm_bindgen::prelude::*;

pub(crate) fn failed(error: impl std::fmt::Display) -> JsValue {
    js_sys::Error::new(&error.to_string()).into()
}

/// Canonical bytes, fingerprint, id and signature of a VAU in JSON.
#[wasm_bindgen(js_name = vauVector)]
pub async fn vau_vector(text: String) -> Result<String, JsValue> {
    let submission: VauSubmission = serde_json::from_str(&text).map_err(failed)?;
    let signed = submission.signed_fields();
    let canonical = signed.canonical();
    let signature = signature::parse(&submission.signature).ok_or_else(|| failed("signature"))?;
    let holds = webcrypto::holds(submission.device_id.as_bytes(), &canonical, &signature).await;
    Ok(json!({
        "canonicalHex": hex::encode(canonical),
        "fingerprint": signed.fingerprint(),
        "vauId": signed.id(),
        "holds": holds,
    })
    .to_string())
}

/// A signature by a device over bytes in hex.
#[wasm_bindgen(js_name = signatureVector)]
pub async fn signature_vector(
    key: String,
    message: Vec<u8>,
    signature: String,
) -> Result<bool, JsValue> {
    let key = DeviceId::try_from(key.as_str()).map_err(failed)?;
    let signature = signature::parse(&signature).ok_or_else(|| failed("signature"))?;
    Ok(webcrypto::holds(key.as_bytes(), &message, &signature).await)
}

/// Signed bytes of a batch, in hex.
#[wasm_bindgen(js_name = batchVector)]
pub fn batch_vector(
    batch_id: &str,
    submitted_at: u64,
    fingerprints: Vec<String>,
) -> Result<String, JsValue> {
    let at = EpochMs::new(submitted_at).map_err(failed)?;
    let items: Vec<Fingerprint> = fingerprints
        .iter()
        .map(|text| Fingerprint::try_from(text.as_str()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    Ok(hex::encode(vau::batch_canonical(batch_id, at, &items)))
}

/// Signed bytes of a device's registration, in hex.
#[wasm_bindgen(js_name = deviceVector)]
pub fn device_vector(user: &str, device_id: &str, issued_at: u64) -> Result<String, JsValue> {
    let user = WalletAddress::try_from(user).map_err(failed)?;
    let device_id = DeviceId::try_from(device_id).map_err(failed)?;
    let at = EpochMs::new(issued_at).map_err(failed)?;
    Ok(hex::encode(device::registration_canonical(
        &user, &device_id, at,
    )))
}

#[derive(Deserialize)]
struct HmacCase {
    method: String,
    path: String,
    timestamp: EpochMs,
    body: String,
    secret: String,
}

/// HMAC of a request in JSON, in hex.
#[wasm_bindgen(js_name = hmacVector)]
pub fn hmac_vector(text: &str) -> Result<String, JsValue> {
    let case: HmacCase = serde_json::from_str(text).map_err(failed)?;
    let request = SignedRequest {
        method: &case.method,
        path: &case.path,
        timestamp: case.timestamp,
        body: case.body.as_bytes(),
    };
    Ok(request.sign(case.secret.as_bytes()))
}

/// Stops the WebAssembly instance, as a panic would.
#[wasm_bindgen(js_name = stopInstance)]
pub fn stop_instance() {
    std::process::abort();
}
