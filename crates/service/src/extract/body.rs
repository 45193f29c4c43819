//! Reading a request's body up to a limit.

use crate::ApiError;
use axum::body::{Body, Bytes};
use contracts::Code;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;

/// How much of a body that is too long is still read and thrown away. A client that is still writing
/// when the connection closes would see a reset instead of our answer.
const DISCARD_BYTES: usize = 1024 * 1024;

/// The whole body, or 413 when it is longer than `limit` bytes, 400 when it breaks off.
pub async fn read_limited(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Bytes, ApiError> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let bound = limit.saturating_add(DISCARD_BYTES);
    if announced.is_some_and(|length| length > bound) {
        return Err(too_large(limit));
    }
    let mut body = body;
    let mut kept = Vec::with_capacity(announced.unwrap_or(0).min(limit));
    let mut seen = 0usize;
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|_| ApiError::new(Code::RequestMalformed, "The body ended before its end."))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen = seen.saturating_add(data.len());
        if seen > bound {
            return Err(too_large(limit));
        }
        if seen <= limit {
            kept.extend_from_slice(&data);
        }
    }
    if seen > limit {
        return Err(too_large(limit));
    }
    Ok(kept.into())
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(
        Code::RequestTooLarge,
        format!("The body is longer than {limit} bytes."),
    )
}
