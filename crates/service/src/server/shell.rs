//! What surrounds every request: its id, its log line, its metric, its place, its time limit, its error body.
//!
//! All of it is one layer: each layer of a router costs a copy of all that is within it, for every request.

use super::app::ALIAS;
use super::origins::{self, Origins, Page};
use super::problems;
use super::slots::{Arriving, Slots};
use crate::ApiError;
use crate::access::Gate;
use crate::config::HttpConfig;
use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use contracts::Code;
use futures_util::FutureExt as _;
use http::header::{CACHE_CONTROL, HOST, HeaderName, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Method, Version};
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::Instrument as _;
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// For extractors of the framework that read bodies; ours have limits of their own.
const BODY_LIMIT: usize = 256 * 1024;

/// When to come back to a service that is busy.
const BUSY_RETRY: Duration = Duration::from_secs(1);

/// What requests are held to.
#[derive(Debug)]
pub(super) struct Shell {
    origins: Origins,
    slots: Arc<Slots>,
    time_limit: Duration,
    gate: Option<Gate>,
}

impl Shell {
    /// Without a `gate` anybody may do anything: for the ops port.
    pub(super) fn new(http: &HttpConfig, gate: Option<Gate>) -> Self {
        Self {
            gate,
            origins: Origins::new(&http.allowed_origins),
            slots: Slots::new(http.max_in_flight.try_into().unwrap_or(usize::MAX)),
            time_limit: http.request_timeout(),
        }
    }
}

/// Puts `router` into the shell. From the outside in: id, log, metric, error body and what lets a page read the
/// answer; panics; the number of requests; time limit; origins; who calls, and how often; body limit.
pub(super) fn wrap(router: Router, shell: Shell) -> Router {
    router
        .fallback(async || ApiError::new(Code::NotFound, "There is no such route."))
        .layer((
            from_fn_with_state(Arc::new(shell), surround),
            DefaultBodyLimit::max(BODY_LIMIT),
        ))
}

async fn surround(State(shell): State<Arc<Shell>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let page = shell.origins.page(request.headers());
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
    let answer = AssertUnwindSafe(admit(&shell, request, next)).catch_unwind();
    let response = answer
        .instrument(span.clone())
        .await
        .unwrap_or_else(|payload| panicked(&payload));
    drop(in_flight);

    let (mut response, code) = problems::finish(response, &id, &path);
    decorate(response.headers_mut(), &id);
    page.decorate(response.headers_mut());
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

/// A place, and a time limit, for all but the questions whether the service is well.
async fn admit(shell: &Shell, mut request: Request, next: Next) -> Response {
    let watched = request
        .extensions()
        .get::<MatchedPath>()
        .is_some_and(|path| is_watched(path.as_str()));
    let slot = if watched {
        None
    } else {
        let Some(slot) = shell.slots.take() else {
            metrics::counter!(telemetry::metrics::HTTP_SHED).increment(1);
            return ApiError::of(Code::RequestOverloaded)
                .with_retry_after(BUSY_RETRY)
                .into_response();
        };
        request = request.map(|body| Arriving::wrap(body, Arc::clone(&slot)));
        Some(slot)
    };
    let served = tokio::time::timeout(shell.time_limit, answer(shell, request, next)).await;
    drop(slot);
    served.unwrap_or_else(|_| {
        ApiError::of(Code::RequestTimeout)
            .with_retry_after(BUSY_RETRY)
            .into_response()
    })
}

async fn answer(shell: &Shell, request: Request, next: Next) -> Response {
    if let Err(error) = has_one_host(&request) {
        return error.into_response();
    }
    match shell.origins.page(request.headers()) {
        Page::Refused => ApiError::of(Code::RequestOriginRefused).into_response(),
        Page::Allowed(_) if origins::is_preflight(request.method(), request.headers()) => {
            origins::preflight()
        }
        Page::Allowed(_) | Page::NoOther => match &shell.gate {
            Some(gate) => gate.pass(request, next).await,
            None => next.run(request).await,
        },
    }
}

/// RFC 9112: two hosts are two requests in one.
fn has_one_host(request: &Request) -> Result<(), ApiError> {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), None) => Ok(()),
        (None, _) if request.version() < Version::HTTP_11 => Ok(()),
        _ => Err(ApiError::new(
            Code::RequestMalformed,
            "A request has one Host header.",
        )),
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
