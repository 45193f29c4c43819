//! Every error leaves as problem+json, whoever made it.

use crate::ApiError;
use axum::body::Body;
use axum::response::Response;
use contracts::{Code, problem};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

/// Beside a response: the error to write as its body.
#[derive(Debug, Clone)]
struct Carried(ApiError);

/// Lays `error` beside `response`, for [`finish`].
pub(crate) fn carry_error(response: &mut Response, error: ApiError) {
    response.extensions_mut().insert(Carried(error));
}

/// Gives `response` its error body, if it is an error without one. Returns the code, for the log.
pub(super) fn finish(
    mut response: Response,
    request_id: &str,
    path: &str,
) -> (Response, Option<Code>) {
    let carried = response.extensions_mut().remove::<Carried>();
    let error = match carried {
        Some(Carried(error)) => error,
        None if has_own_body(&response) => return (response, None),
        None => of_status(response.status()),
    };
    let code = error.code;
    (write(response, &error, request_id, path), Some(code))
}

/// No error, or one that a handler wrote as JSON itself (`/ready`).
fn has_own_body(response: &Response) -> bool {
    let status = response.status();
    let json = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/"));
    !(status.is_client_error() || status.is_server_error()) || json
}

/// What the framework's own plain errors mean.
fn of_status(status: StatusCode) -> ApiError {
    ApiError::of(match status {
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::RequestMethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Code::RequestTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::RequestUnsupportedMedia,
        StatusCode::REQUEST_TIMEOUT => Code::RequestTimeout,
        StatusCode::SERVICE_UNAVAILABLE => Code::DependencyUnavailable,
        status if status.is_client_error() => Code::RequestMalformed,
        _ => Code::Internal,
    })
}

/// Puts `error` in the place of the body of `response`, which keeps its other headers.
fn write(response: Response, error: &ApiError, request_id: &str, path: &str) -> Response {
    // A path is at most as long as a request head; nobody needs that much of it back.
    let instance = path.chars().take(256).collect();
    let body = error.to_problem(request_id, Some(instance));
    let bytes = serde_json::to_vec(&body).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts.status = error.status();
    let headers = &mut parts.headers;
    headers.remove(CONTENT_LENGTH);
    headers.remove(CONTENT_ENCODING);
    if let Some(limit) = &error.limit {
        limit.write(headers);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(problem::MEDIA_TYPE));
    if let Some(wait) = error.retry_after {
        // Whole seconds, rounded up, so that nobody comes back too early.
        let seconds = wait.as_millis().div_ceil(1_000).max(1);
        if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
            headers.insert(RETRY_AFTER, value);
        }
    }
    if let Some(challenge) = challenge(error.code) {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// What a 401 asks for.
const fn challenge(code: Code) -> Option<&'static str> {
    match code {
        Code::AuthTokenMissing => Some("Bearer realm=\"twist\""),
        Code::AuthTokenInvalid => Some("Bearer realm=\"twist\", error=\"invalid_token\""),
        Code::AuthTokenExpired => {
            Some("Bearer realm=\"twist\", error=\"invalid_token\", error_description=\"expired\"")
        }
        Code::AuthHmacInvalid => Some("TWIST-HMAC-SHA256 realm=\"twist\""),
        Code::AuthSignatureInvalid => Some("TWIST-SIWS realm=\"twist\""),
        _ => None,
    }
}
