//! Attestations, judged by the functions as they are compiled into the Worker. Only tests build this.

// Exported to JavaScript, not to Rust; what crosses that border is owned.
#![allow(unreachable_pub, clippy::needless_pass_by_value)]

use crate::attest;
use crate::vectors::failed;
use contracts::device::Credential;
use contracts::vau::VauSubmission;
use edge_core::attestation::{Policy, Verdict};
use serde::Deserialize;
use serde_json::json;
use wasm_bindgen::prelude::*;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    vau: VauSubmission,
    credential: Credential,
    rp_id: String,
    origins: Vec<String>,
    require_user_verification: bool,
}

/// The verdict over the attestation of a VAU in JSON.
#[wasm_bindgen(js_name = attestationVector)]
pub async fn attestation_vector(text: String) -> Result<String, JsValue> {
    let case: Case = serde_json::from_str(&text).map_err(failed)?;
    let attestation = case
        .vau
        .attestation
        .as_ref()
        .ok_or_else(|| failed("no attestation"))?;
    let policy = Policy {
        rp_id: case.rp_id,
        origins: case.origins,
        require_user_verification: case.require_user_verification,
    };
    let vau = case.vau.signed_fields();
    let verdict = attest::verify(attestation, &case.credential, &vau, &policy).await;
    Ok(match verdict {
        Verdict::Verified {
            sign_count,
            user_verified,
        } => json!({ "verified": true, "signCount": sign_count, "userVerified": user_verified }),
        Verdict::Invalid(reason) => json!({ "invalid": reason.name() }),
        Verdict::Unsupported => json!({ "unsupported": true }),
    }
    .to_string())
}
