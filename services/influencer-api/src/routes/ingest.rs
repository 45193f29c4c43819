//! `/internal/v1`: what the edge asks and delivers. Every request is signed with a shared secret.

use crate::domain::ingest::{MAX_ITEMS, Unreadable, check};
use crate::state::AppState;
use crate::store::{credentials, devices, edge_reports, ingest, vaus};
use axum::extract::State;
use contracts::Code;
use contracts::device::Device;
use contracts::ingest::{EdgeReport, REPORT_VERSION, ReportReceipt, SegmentReceipt, VauSegment};
use contracts::vau::VauStatus;
use domain::{DeviceId, VauId, WalletAddress};
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
        .post("/internal/v1/edge-reports", Rule::service(), report_hour, |op| {
            op.id("reportEdgeHour")
                .tag("internal")
                .summary("Keeps what the edge has promised in an hour, to be compared with what was counted")
                .input::<axum::Json<EdgeReport>>()
        })
        .get(
            "/internal/v1/users/{userId}/vaus/{vauId}",
            Rule::service(),
            vau,
            |op| {
                op.id("getUserVau")
                    .tag("internal")
                    .summary("What became of a VAU of a user")
            },
        )
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
    // Hundreds of signatures are milliseconds of work, which other requests must not wait for.
    let (segment_id, checked) =
        tokio::task::spawn_blocking(move || (segment.segment_id, check(&segment)))
            .await
            .map_err(|error| ApiError::internal(&error))?;
    let checked = checked.map_err(|why| match why {
        Unreadable::Version => ApiError::invalid("/version", "is not a version this build reads"),
        Unreadable::TooMany => {
            ApiError::invalid("/items", format!("holds more than {MAX_ITEMS} items"))
        }
    })?;

    let receipt = ingest::count(&state.db, segment_id, &checked)
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

/// The longest report: a handful of figures.
const MAX_REPORT_BYTES: usize = 4 * 1024;
/// VAUs that the edge has promised in the last two days, more than an hour ago, and that were neither counted nor
/// set aside.
const MISSING_METRIC: &str = "edge_vaus_missing";

async fn report_hour(
    State(state): State<AppState>,
    caller: SignedCaller<MAX_REPORT_BYTES>,
) -> Result<Json<ReportReceipt>, ApiError> {
    let report: EdgeReport = caller.json()?;
    if report.version != REPORT_VERSION {
        return Err(ApiError::invalid(
            "/version",
            "is not a version this build reads",
        ));
    }
    let figures = edge_reports::Figures::of(&report)
        .ok_or_else(|| ApiError::invalid("", "holds a figure that no hour can have"))?;
    edge_reports::keep(&state.db, &report, figures).await?;
    let missing = edge_reports::missing(&state.db).await?;
    metrics::gauge!(MISSING_METRIC).set(f64::from(missing));
    if missing > 0 {
        tracing::error!(missing, "VAUs that the edge has promised were not counted");
    }
    Ok(Json(ReportReceipt {
        segment_id: report.segment_id,
    }))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct VauPath {
    user_id: WalletAddress,
    vau_id: VauId,
}

async fn vau(
    State(state): State<AppState>,
    Path(path): Path<VauPath>,
    _caller: SignedCaller<0>,
) -> Result<Json<VauStatus>, ApiError> {
    let found = vaus::status(&state.db, path.user_id, path.vau_id).await?;
    found.map(Json).ok_or_else(|| ApiError::of(Code::NotFound))
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
