//! What surrounds every request: its id, its log line, its metric, its time limit, its error body.

use super::app::ALIAS;
use super::problems;
use crate::ApiError;
use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use contracts::Code;
use http::header::{CACHE_CONTROL, HeaderName, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Method};
use std::any::Any;
use std::time::{Duration, Instant};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// For extractors of the framework that read bodies; ours have limits of their own.
const BODY_LIMIT: usize = 256 * 1024;

/// Puts `router` into the shell. From the outside in: id, log, metric and error body; panics; time limit.
pub(super) fn wrap(router: Router, timeout: Duration) -> Router {
    router
        .fallback(async || ApiError::new(Code::NotFound, "There is no such route."))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(timeout, limit_time))
        .layer(CatchPanicLayer::custom(|payload: Panic| panicked(&payload)))
        .layer(from_fn(surround))
}

async fn surround(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    let method = method_name(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let path = request.uri().path().to_owned();
    // At the highest level, so that a warning has its request id under every filter.
    let span = tracing::error_span!("request", request_id = %id, method, route = %route);
    span.in_scope(|| {
        tracing::debug!(headers = ?telemetry::redact::loggable(request.headers()), "request begins");
    });

    let in_flight = InFlight::new();
    let response = next.run(request).instrument(span.clone()).await;
    drop(in_flight);

    let (mut response, code) = problems::finish(response, &id, &path);
    decorate(response.headers_mut(), &id);
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    metrics::histogram!(
        telemetry::metrics::HTTP_REQUEST_DURATION,
        "method" => method, "route" => route.clone(), "status" => status.to_string()
    )
    .record(elapsed.as_secs_f64());
    let duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    let code = code.map(Code::as_str);
    let _entered = span.enter();
    if is_watched(&route) && status < 500 {
        tracing::debug!(status, duration_us, "request");
    } else {
        tracing::info!(status, duration_us, code, "request");
    }
    response
}

/// Whether machines ask for `route` all day long, so that a line for each would bury the others.
fn is_watched(route: &str) -> bool {
    let route = route.strip_prefix(ALIAS).unwrap_or(route);
    matches!(route, "/health" | "/ready" | "/version" | "/metrics")
}

/// Counts a request while it is served, also when its client goes away in the middle.
struct InFlight;

impl InFlight {
    fn new() -> Self {
        metrics::gauge!(telemetry::metrics::HTTP_IN_FLIGHT).increment(1);
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        metrics::gauge!(telemetry::metrics::HTTP_IN_FLIGHT).decrement(1);
    }
}

async fn limit_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::of(Code::RequestTimeout)
            .with_retry_after(Duration::from_secs(1))
            .into_response(),
    }
}

type Panic = Box<dyn Any + Send>;

/// The payload of a panic may hold anything, so only a text is logged, and nothing is shown.
fn panicked(payload: &Panic) -> Response {
    metrics::counter!(telemetry::metrics::HTTP_PANICS).increment(1);
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("panic without a text");
    ApiError::internal(&text).into_response()
}

/// The caller's id if it is one (8 to 64 of `A-Z a-z 0-9 _ -`), else a new one.
fn request_id(headers: &HeaderMap) -> String {
    headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|text| {
            (8..=64).contains(&text.len())
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        })
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// Methods as a bounded label: a client may invent others.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

fn decorate(headers: &mut HeaderMap, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Answers are for one caller; a route that may be cached says so itself.
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}
