//! Metric names, and the process-wide Prometheus recorder.
//!
//! Label values are names from our own code (route templates, result words), never input, so the
//! number of series is bounded.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

/// Histogram, seconds: `method`, `route` (template), `status`.
pub const HTTP_REQUEST_DURATION: &str = "http_request_duration_seconds";
/// Gauge: requests being served.
pub const HTTP_IN_FLIGHT: &str = "http_requests_in_flight";
/// Gauge: open client connections.
pub const HTTP_CONNECTIONS: &str = "http_connections";
/// Counter: panics caught at the edge of a request.
pub const HTTP_PANICS: &str = "http_panics_total";
/// Counter: requests over a limit, by `class`.
pub const RATE_LIMITED: &str = "rate_limited_total";
/// Counter: requests that were refused because too many were being served.
pub const HTTP_SHED: &str = "http_requests_shed_total";
/// Counter: `result` = `hit`, `valid`, `invalid`, `expired`, `unavailable`.
pub const TOKEN_VERIFICATIONS: &str = "token_verifications_total";
/// Counter: `result` = `ok`, `error`.
pub const JWKS_FETCHES: &str = "jwks_fetches_total";
/// Counter: sign-in nonces given out.
pub const AUTH_NONCE_ISSUED: &str = "auth_nonce_issued_total";
/// Counter: `result` = `ok` or the error code.
pub const AUTH_SIGN_IN: &str = "auth_sign_in_total";
/// Counter: `result` = `ok`, `repeated` (the same successor again), `reused`, `invalid`, `ahead` (of the database: an
/// alarm), `error`.
pub const AUTH_REFRESH: &str = "auth_refresh_total";

const DURATION_BUCKETS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Installs the recorder; later calls do nothing.
pub fn install() {
    HANDLE.get_or_init(|| {
        PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATION_BUCKETS)
            .ok()?
            .install_recorder()
            .ok()
    });
}

/// The metrics in Prometheus' text format; empty before [`install`].
pub fn render() -> String {
    handle().map(PrometheusHandle::render).unwrap_or_default()
}

/// Folds collected samples into the histograms. Call every few seconds, or memory grows until the
/// next [`render`].
pub fn upkeep() {
    if let Some(handle) = handle() {
        handle.run_upkeep();
    }
}

fn handle() -> Option<&'static PrometheusHandle> {
    HANDLE.get().and_then(Option::as_ref)
}
