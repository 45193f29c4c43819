//! The ops port: metrics, and why the service is not ready. Not for the internet.

use crate::health::ReadyChecks;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::json;

pub(super) fn routes(checks: ReadyChecks) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/ready", get(ready))
        .with_state(checks)
}

async fn metrics() -> Response {
    telemetry::metrics::upkeep();
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        telemetry::metrics::render(),
    )
        .into_response()
}

async fn ready(State(checks): State<ReadyChecks>) -> Response {
    let outcomes = checks.outcomes().await;
    let ready = outcomes.iter().all(|outcome| outcome.problem.is_none());
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let checks: Vec<_> = outcomes
        .iter()
        .map(|outcome| {
            json!({
                "name": outcome.name,
                "ok": outcome.problem.is_none(),
                "problem": outcome.problem,
            })
        })
        .collect();
    let body = json!({
        "status": if ready { "ready" } else { "not ready" },
        "checks": checks,
    });
    (
        status,
        [(CONTENT_TYPE, "application/json")],
        body.to_string(),
    )
        .into_response()
}
