//! Reading a request's body up to a limit.

use crate::ApiError;
use crate::server::Overloaded;
use axum::body::{Body, Bytes};
use contracts::Code;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body_util::BodyExt as _;
use std::error::Error;
use std::time::Duration;

/// How much of a body that is too long is still read and thrown away. A client that is still writing
/// when the connection closes would see a reset instead of our answer.
const DISCARD_BYTES: usize = 1024 * 1024;

/// The whole body, or 413 when it is longer than `limit` bytes, 415 when it is compressed, 400 when it breaks off.
pub async fn read_limited(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Bytes, ApiError> {
    check_encoding(headers)?;
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
        let frame = frame.map_err(|error| broken_off(&error))?;
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

/// What is compressed may be a thousand times as long as what was sent, so nothing is inflated.
fn check_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    let plain = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .all(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if plain {
        Ok(())
    } else {
        Err(ApiError::new(
            Code::RequestUnsupportedMedia,
            "Send the body as it is, without a Content-Encoding.",
        ))
    }
}

fn broken_off(error: &axum::Error) -> ApiError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<Overloaded>() {
            return ApiError::of(Code::RequestOverloaded).with_retry_after(Duration::from_secs(1));
        }
        cause = error.source();
    }
    ApiError::new(Code::RequestMalformed, "The body ended before its end.")
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(
        Code::RequestTooLarge,
        format!("The body is longer than {limit} bytes."),
    )
}
