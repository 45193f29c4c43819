//! `/devices/{deviceId}/credentials`: authenticators that may attest a device's VAUs.

use crate::state::AppState;
use crate::store::credentials::{self, Registration};
use axum::extract::State;
use axum::http::StatusCode;
use contracts::Code;
use contracts::device::{MAX_CREDENTIALS_PER_DEVICE, RegisterCredential, RegisteredCredential};
use domain::DeviceId;
use domain::device::{credential_challenge, proof_window};
use domain::time::Window;
use edge_core::attestation::{Reason, registration};
use schemars::JsonSchema;
use serde::Deserialize;
use service::access::{Routes, Rule};
use service::auth::Principal;
use service::extract::{Json, Path};
use service::idempotency::{Answer, KEEP_A_DAY, RequestKey, once};
use service::limit::RateClass;
use service::{ApiError, clock};

/// The routes of this file.
pub(super) fn router() -> Routes<AppState> {
    Routes::new().post(
        "/devices/{deviceId}/credentials",
        Rule::user(RateClass::Registration).fresh(),
        register,
        |op| {
            op.id("registerCredential")
                .tag("devices")
                .summary(
                    "Registers a WebAuthn credential to one of the caller's devices; 201 when new, 200 when it was already",
                )
                .response::<200, Json<RegisteredCredential>>()
                .response::<201, Json<RegisteredCredential>>()
        },
    )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DevicePath {
    device_id: DeviceId,
}

async fn register(
    State(state): State<AppState>,
    Path(path): Path<DevicePath>,
    caller: Principal,
    key: Option<RequestKey>,
    Json(request): Json<RegisterCredential>,
) -> Result<Answer<RegisteredCredential>, ApiError> {
    let (uid, device) = (caller.uid, path.device_id);
    // Judged now but answered inside: a request that is sent again after its time gets its first answer.
    let inside = proof_window(request.issued_at, clock::now_ms()) == Window::Inside;
    let challenge = credential_challenge(&caller.wallet, &device, request.issued_at);
    let judged = registration(
        &request.client_data_json,
        &request.attestation_object,
        &challenge,
        &state.webauthn,
    );
    // The device is part of the path, so the key has to tell two devices apart.
    let asked = (device, &request);
    once(&state.db, &caller, key.as_ref(), &asked, KEEP_A_DAY, |tx| {
        Box::pin(async move {
            if !inside {
                return Err(stale());
            }
            let new = judged.map_err(refused)?;
            match credentials::register(tx, uid, device, &new).await? {
                Registration::Created(found) => Ok((StatusCode::CREATED, found)),
                Registration::Existing(found) => Ok((StatusCode::OK, found)),
                Registration::NoDevice => Err(ApiError::of(Code::NotFound)),
                Registration::Taken => Err(ApiError::of(Code::CredentialTaken)),
                Registration::LimitReached => Err(ApiError::new(
                    Code::CredentialLimitReached,
                    format!("A device can have {MAX_CREDENTIALS_PER_DEVICE} credentials."),
                )),
            }
        })
    })
    .await
}

fn stale() -> ApiError {
    let detail = "is more than five minutes from the server's clock; make a new challenge";
    ApiError::new(Code::CredentialInvalid, format!("issuedAt {detail}."))
        .with_field("/issuedAt", detail)
}

fn refused(reason: Reason) -> ApiError {
    let pointer = match reason {
        Reason::Type | Reason::Challenge | Reason::Origin => "/clientDataJSON",
        _ => "/attestationObject",
    };
    let detail = format!("The credential is not accepted: {reason}.");
    ApiError::new(Code::CredentialInvalid, detail).with_field(pointer, reason.to_string())
}
