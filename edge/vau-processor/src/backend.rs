//! The backend's internal routes, each request signed.

use crate::http::{self, Reply};
use contracts::device::{Credential, Device};
use contracts::ingest::{ReportReceipt, SegmentReceipt};
use contracts::vau::VauStatus;
use domain::http_hmac::{KEY_ID_HEADER, SIGNATURE_HEADER, SignedRequest, TIMESTAMP_HEADER};
use domain::{DeviceId, WalletAddress};
use durable_objects::{log_error, now};
use edge_core::shard::Find;
use edge_core::{Refusal, Settings};
use uuid::Uuid;
use worker::Method;

/// Whose device it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Registration {
    /// Registered to the user asked about, with these authenticators.
    Theirs(Vec<Credential>),
    /// Not registered, or to somebody else.
    NotTheirs,
    /// The backend did not say.
    Unavailable,
}

/// Asks whether `device` is registered to `user`.
pub(crate) async fn registration(
    settings: &Settings,
    device: &DeviceId,
    user: &WalletAddress,
) -> Registration {
    let path = format!("/internal/v1/devices/{device}");
    match signed(settings, Method::Get, "GET", &path, None).await {
        Ok(reply) if reply.status == 200 => match serde_json::from_slice::<Device>(&reply.body) {
            Ok(found) if found.user_id == *user && found.device_id == *device => {
                Registration::Theirs(found.credentials)
            }
            Ok(_) => Registration::NotTheirs,
            Err(error) => {
                log_error("the backend's device could not be read", &error);
                Registration::Unavailable
            }
        },
        Ok(reply) if reply.status == 404 => Registration::NotTheirs,
        Ok(reply) => {
            log_error("the backend did not look a device up", &reply.status);
            Registration::Unavailable
        }
        Err(error) => {
            log_error("the backend could not be reached", &error);
            Registration::Unavailable
        }
    }
}

/// Why a segment is not delivered yet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliveryError {
    #[error("the backend could not be reached: {0}")]
    Network(#[from] worker::Error),
    #[error("the backend answered {0}")]
    Status(u16),
    #[error("the backend's receipt cannot be read or is for another segment")]
    Receipt,
}

/// Hands a segment over. `Ok` means that the backend has every item of it for good.
pub(crate) async fn deliver(
    settings: &Settings,
    segment_id: Uuid,
    body: &str,
) -> Result<SegmentReceipt, DeliveryError> {
    let path = "/internal/v1/vau-batches";
    let reply = signed(settings, Method::Post, "POST", path, Some(body)).await?;
    if reply.status != 200 {
        return Err(DeliveryError::Status(reply.status));
    }
    serde_json::from_slice::<SegmentReceipt>(&reply.body)
        .ok()
        .filter(|receipt| receipt.segment_id == segment_id)
        .ok_or(DeliveryError::Receipt)
}

/// Hands an hour's report over.
pub(crate) async fn report(
    settings: &Settings,
    segment_id: Uuid,
    body: &str,
) -> Result<(), DeliveryError> {
    let path = "/internal/v1/edge-reports";
    let reply = signed(settings, Method::Post, "POST", path, Some(body)).await?;
    if reply.status != 200 {
        return Err(DeliveryError::Status(reply.status));
    }
    serde_json::from_slice::<ReportReceipt>(&reply.body)
        .ok()
        .filter(|receipt| receipt.segment_id == segment_id)
        .map(drop)
        .ok_or(DeliveryError::Receipt)
}

/// A VAU that the backend has, if it is the asker's.
pub(crate) async fn vau(settings: &Settings, find: &Find) -> Result<Option<VauStatus>, Refusal> {
    let unavailable = || Refusal::unavailable("VAUs cannot be looked up at the moment; try again.");
    let path = format!("/internal/v1/users/{}/vaus/{}", find.user_id, find.vau_id);
    match signed(settings, Method::Get, "GET", &path, None).await {
        Ok(reply) if reply.status == 200 => {
            serde_json::from_slice(&reply.body)
                .map(Some)
                .map_err(|error| {
                    log_error("the backend's VAU could not be read", &error);
                    unavailable()
                })
        }
        Ok(reply) if reply.status == 404 => Ok(None),
        Ok(reply) => {
            log_error("the backend did not look a VAU up", &reply.status);
            Err(unavailable())
        }
        Err(error) => {
            log_error("the backend could not be reached", &error);
            Err(unavailable())
        }
    }
}

async fn signed(
    settings: &Settings,
    method: Method,
    method_name: &str,
    path: &str,
    body: Option<&str>,
) -> worker::Result<Reply> {
    let timestamp = now();
    let signature = SignedRequest {
        method: method_name,
        path,
        timestamp,
        body: body.unwrap_or_default().as_bytes(),
    }
    .sign(settings.backend_secret.bytes());
    let timestamp = timestamp.to_string();
    let mut headers = vec![
        (KEY_ID_HEADER, settings.backend_key_id.as_str()),
        (TIMESTAMP_HEADER, timestamp.as_str()),
        (SIGNATURE_HEADER, signature.as_str()),
    ];
    if body.is_some() {
        headers.push(("content-type", "application/json"));
    }
    let url = format!("{}{path}", settings.backend_url);
    http::call(method, &url, &headers, body).await
}
