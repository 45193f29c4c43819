//! `/internal/v1`: what the edge asks and delivers. Every request is signed with a shared secret.

use crate::domain::ingest::{MAX_ITEMS, check};
use crate::state::AppState;
use crate::store::{credentials, devices, ingest};
use axum::extract::State;
use contracts::Code;
use contracts::device::Device;
use contracts::ingest::{SEGMENT_VERSION, SegmentReceipt, VauSegment};
use domain::DeviceId;
use schemars::JsonSchema;
use serde::Deserialize;
use service::access::{Routes, Rule};
use service::extract::{Json, Path};
use service::hmac::SignedCaller;
use service::{ApiError, clock};

/// The longest segment: several times what the edge packs.
const MAX_SEGMENT_BYTES: usize = 256 * 1024;

/// Segments counted, by outcome of their items.
const ITEMS_METRIC: &str = "ingest_items_total";
/// Seconds from acceptance at the edge to the ledger, of the newest item of each segment.
const LAG_METRIC: &str = "ingest_lag_seconds";

/// The routes of this file.
pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .post("/internal/v1/vau-batches", Rule::service(), deliver, |op| {
            op.id("deliverVauSegment")
                .tag("internal")
                .summary("Counts a segment of accepted VAUs, each once, and says where each went")
                .input::<axum::Json<VauSegment>>()
        })
        .get(
            "/internal/v1/devices/{deviceId}",
            Rule::service(),
            device,
            |op| {
                op.id("getDevice").tag("internal").summary(
                    "Who a device is registered to, and which credentials may attest its VAUs",
                )
            },
        )
}

async fn deliver(
    State(state): State<AppState>,
    caller: SignedCaller<MAX_SEGMENT_BYTES>,
) -> Result<Json<SegmentReceipt>, ApiError> {
    let segment: VauSegment = caller.json()?;
    if segment.version != SEGMENT_VERSION {
        return Err(ApiError::invalid(
            "/version",
            "is not a version this build reads",
        ));
    }
    if segment.items.len() > MAX_ITEMS {
        return Err(ApiError::invalid(
            "/items",
            format!("holds more than {MAX_ITEMS} items"),
        ));
    }
    // Hundreds of signatures are milliseconds of work, which other requests must not wait for.
    let (segment, checked) = tokio::task::spawn_blocking(move || {
        let checked = segment.items.iter().map(check).collect::<Vec<_>>();
        (segment, checked)
    })
    .await
    .map_err(|error| ApiError::internal(&error))?;

    let receipt = ingest::count(&state.db, &segment, &checked)
        .await
        .map_err(crate::error::from_ledger)?;
    report(&receipt, ingest::newest(&checked));
    Ok(Json(receipt))
}

fn report(receipt: &SegmentReceipt, newest: Option<domain::EpochMs>) {
    let set_aside = u64::try_from(receipt.quarantined.len()).unwrap_or(u64::MAX);
    metrics::counter!(ITEMS_METRIC, "outcome" => "counted").increment(receipt.counted.into());
    metrics::counter!(ITEMS_METRIC, "outcome" => "duplicate").increment(receipt.duplicates.into());
    metrics::counter!(ITEMS_METRIC, "outcome" => "quarantined").increment(set_aside);
    if let Some(newest) = newest {
        let lag = clock::now_ms().get().saturating_sub(newest.get());
        metrics::histogram!(LAG_METRIC).record(std::time::Duration::from_millis(lag));
    }
    for item in &receipt.quarantined {
        tracing::warn!(
            segment_id = %receipt.segment_id,
            index = item.index,
            reason = item.reason.as_str(),
            "item set aside"
        );
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DevicePath {
    device_id: DeviceId,
}

async fn device(
    State(state): State<AppState>,
    Path(path): Path<DevicePath>,
    _caller: SignedCaller<0>,
) -> Result<Json<Device>, ApiError> {
    let device = devices::find_for_edge(&state.db, path.device_id).await?;
    let mut device = device.ok_or_else(|| ApiError::of(Code::NotFound))?;
    device.credentials = credentials::of_device(&state.db, path.device_id).await?;
    Ok(Json(device))
}
