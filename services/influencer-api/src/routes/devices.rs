//! `/devices`: the keys that sign VAUs for the signed-in user.

use crate::domain::device::{ProofError, check_proof};
use crate::state::AppState;
use crate::store::devices::{self, Registration};
use axum::extract::State;
use axum::http::StatusCode;
use contracts::Code;
use contracts::device::{Device, DeviceList, MAX_DEVICES_PER_USER, RegisterDevice};
use service::access::{Routes, Rule};
use service::auth::Principal;
use service::extract::Json;
use service::idempotency::{Answer, KEEP_A_DAY, RequestKey, once};
use service::limit::RateClass;
use service::{ApiError, clock};

/// The routes of this file.
pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .post(
            "/devices",
            Rule::user(RateClass::Registration).fresh(),
            register,
            |op| {
                op.id("registerDevice")
                    .tag("devices")
                    .summary(
                        "Registers a device to the caller; 201 when new, 200 when it was already",
                    )
                    .response::<200, Json<Device>>()
                    .response::<201, Json<Device>>()
            },
        )
        .get("/devices", Rule::user(RateClass::Read), list, |op| {
            op.id("listDevices")
                .tag("devices")
                .summary("The caller's devices, newest first")
        })
}

async fn register(
    State(state): State<AppState>,
    caller: Principal,
    key: Option<RequestKey>,
    Json(request): Json<RegisterDevice>,
) -> Result<Answer<Device>, ApiError> {
    let (uid, wallet, device) = (caller.uid, caller.wallet, request.device_id);
    // Judged now but answered inside: a request that is sent again after its proof has aged gets its first answer.
    let proof = check_proof(&request, &wallet, clock::now_ms());
    once(
        &state.db,
        &caller,
        key.as_ref(),
        &request,
        KEEP_A_DAY,
        |tx| {
            Box::pin(async move {
                proof.map_err(unproven)?;
                match devices::register(tx, uid, wallet, device).await? {
                    Registration::Created(device) => Ok((StatusCode::CREATED, device)),
                    Registration::Existing(device) => Ok((StatusCode::OK, device)),
                    Registration::Taken => Err(ApiError::of(Code::DeviceTaken)),
                    Registration::LimitReached => Err(ApiError::new(
                        Code::DeviceLimitReached,
                        format!("A user can have {MAX_DEVICES_PER_USER} devices."),
                    )),
                }
            })
        },
    )
    .await
}

fn unproven(error: ProofError) -> ApiError {
    let pointer = match error {
        ProofError::Window => "/issuedAt",
        ProofError::Form | ProofError::Signature => "/proof",
    };
    ApiError::new(Code::DeviceProofInvalid, error.to_string())
        .with_field(pointer, error.to_string())
}

async fn list(
    State(state): State<AppState>,
    caller: Principal,
) -> Result<Json<DeviceList>, ApiError> {
    let devices = devices::list(&state.db, caller.uid).await?;
    Ok(Json(DeviceList { devices }))
}
