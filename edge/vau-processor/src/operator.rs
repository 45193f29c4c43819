//! What operators read: `GET /metrics` and `GET /api/v1/vau/hours`. Closed to everybody where no token is set.

use crate::{http, shard};
use contracts::Code;
use durable_objects::{Bindings, log_error};
use edge_core::shard::Report;
use edge_core::token::bearer;
use edge_core::{Refusal, Settings};
use worker::Request;

/// Figures for Prometheus.
pub(crate) const METRICS: &str = "/metrics";
/// What was accepted in each hour.
pub(crate) const HOURS: &str = "/api/v1/vau/hours";

/// The object's figures, for whoever has the operators' token.
pub(crate) async fn report(
    request: &Request,
    bindings: &Bindings,
    settings: &Settings,
) -> Result<Report, Refusal> {
    check(request, settings)?;
    shard::report(bindings).await.map_err(|error| {
        log_error("the shard could not be asked", &error);
        Refusal::unavailable("The figures cannot be read at the moment; try again.")
    })
}

/// Whether the request carries the operators' token.
pub(crate) fn check(request: &Request, settings: &Settings) -> Result<(), Refusal> {
    let authorization = http::header(request, "authorization");
    let given = bearer(authorization.as_deref())?;
    let opens = settings
        .operator_token
        .as_ref()
        .is_some_and(|token| token.is(given));
    if opens {
        return Ok(());
    }
    Err(Refusal::new(
        Code::AuthTokenInvalid,
        "This is not the operators' token; OPERATOR_TOKEN sets it.",
    ))
}
