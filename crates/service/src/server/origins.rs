//! Which web pages may call: cross-origin resource sharing.

use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HOST, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const REQUEST_HEADERS: &str =
    "Authorization, Content-Type, Idempotency-Key, X-Request-ID, If-None-Match, If-Match";
const ANSWER_HEADERS: &str = "X-Request-ID, Retry-After, WWW-Authenticate, ETag, Location, \
     Idempotency-Replayed, RateLimit-Policy, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, \
     X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset";
/// A day, in seconds: how long a browser remembers what it may send.
const MAX_AGE: &str = "86400";

/// The origins that may call.
#[derive(Debug)]
pub(super) struct Origins(Vec<HeaderValue>);

/// What a request says of the page that sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Page {
    /// No page of another origin.
    NoOther,
    /// One that may call.
    Allowed(HeaderValue),
    /// One that may not, or that nobody knows.
    Refused,
}

impl Origins {
    pub(super) fn new(allowed: &[String]) -> Self {
        Self(
            allowed
                .iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok())
                .collect(),
        )
    }

    pub(super) fn page(&self, headers: &HeaderMap) -> Page {
        let mut origins = headers.get_all(ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => Page::NoOther,
            (Some(origin), None) if self.0.contains(origin) => Page::Allowed(origin.clone()),
            (Some(origin), None) if is_own(origin, headers) => Page::NoOther,
            _ => Page::Refused,
        }
    }
}

/// Whether the page is one of the service itself. A proxy may have taken TLS away, so either scheme is.
fn is_own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let origin = origin.as_bytes();
    let authority = origin
        .strip_prefix(b"https://")
        .or_else(|| origin.strip_prefix(b"http://"));
    match (authority, headers.get(HOST)) {
        (Some(authority), Some(host)) => host.as_bytes().eq_ignore_ascii_case(authority),
        _ => false,
    }
}

impl Page {
    /// Lets the page read the answer, whatever it is.
    pub(super) fn decorate(&self, headers: &mut HeaderMap) {
        headers.append(VARY, HeaderValue::from_static("Origin"));
        if let Self::Allowed(origin) = self {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(
                ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
            headers.insert(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static(ANSWER_HEADERS),
            );
        }
    }
}

/// Whether a browser asks what it may send.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// What it is told.
pub(super) fn preflight() -> Response {
    (
        StatusCode::NO_CONTENT,
        [
            (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
            (ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        ],
    )
        .into_response()
}
