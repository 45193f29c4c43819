//! Which route answers, and what every answer has in common.

use crate::{batch, caller, cohorts, health, http, operator, status, vau};
use contracts::Code;
use durable_objects::{Bindings, log_error, now};
use edge_core::answer::{Answer, Exchange, allowed_origin};
use edge_core::{Refusal, Settings, SettingsError, client, exposition};
use uuid::Uuid;
use worker::{Method, Request, Response};

const SUBMIT_METHODS: &str = "POST, OPTIONS";
const READ_METHODS: &str = "GET, HEAD, OPTIONS";

/// The routes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Vau,
    Batch,
    Status,
    Hours,
    Metrics,
    Health,
    Cohorts(cohorts::Route),
}

impl Route {
    fn of(path: &str) -> Option<Self> {
        match path {
            vau::PATH => Some(Self::Vau),
            batch::PATH => Some(Self::Batch),
            operator::HOURS => Some(Self::Hours),
            operator::METRICS => Some(Self::Metrics),
            health::PATH => Some(Self::Health),
            _ if path.starts_with(status::PREFIX) => Some(Self::Status),
            _ => cohorts::Route::of(path).map(Self::Cohorts),
        }
    }

    /// The path as it is told and logged: without what the caller chose.
    const fn path(self) -> &'static str {
        match self {
            Self::Vau => vau::PATH,
            Self::Batch => batch::PATH,
            Self::Status => "/api/v1/vau/status/{vauId}",
            Self::Hours => operator::HOURS,
            Self::Metrics => operator::METRICS,
            Self::Health => health::PATH,
            Self::Cohorts(route) => route.path(),
        }
    }

    const fn methods(self) -> &'static str {
        match self {
            Self::Vau | Self::Batch => SUBMIT_METHODS,
            Self::Status | Self::Hours | Self::Metrics | Self::Health | Self::Cohorts(_) => {
                READ_METHODS
            }
        }
    }
}

/// Answers a request; writes one line to the log.
pub(crate) async fn answer(mut request: Request, bindings: &Bindings) -> worker::Result<Response> {
    let started = now();
    caller::seen();
    let route = Route::of(&request.path());
    let settings = bindings.settings();
    let given = http::header(&request, "x-request-id");
    let origin = http::header(&request, "origin");
    let mut exchange = Exchange {
        request_id: client::request_id(given.as_deref())
            .map_or_else(|| Uuid::new_v4().to_string(), str::to_owned),
        path: route.map(Route::path),
        origin: settings
            .as_ref()
            .ok()
            .and_then(|s| allowed_origin(origin.as_deref(), &s.allowed_origins)),
        rate: None,
    };
    let method = request.method();
    let mut answer = match route {
        Some(route) => match method {
            Method::Options => exchange.preflight(route.methods()),
            Method::Post if route.methods() == SUBMIT_METHODS => {
                submit(route, &mut request, bindings, settings, &mut exchange).await
            }
            Method::Get | Method::Head if route.methods() == READ_METHODS => {
                read(route, &request, bindings, settings, &exchange).await
            }
            _ => exchange.method_not_allowed(route.methods()),
        },
        None => exchange.refusal(Refusal::new(Code::NotFound, "There is no such route.")),
    };
    if method == Method::Head {
        answer.body = None;
    }
    http::discard(&mut request).await;
    log(
        &exchange,
        &method,
        &answer,
        now().get().saturating_sub(started.get()),
    );
    http::response(answer)
}

/// One line a request, without anything that tells who called. A health check that finds nothing is not worth
/// a line.
fn log(exchange: &Exchange, method: &Method, answer: &Answer, ms: u64) {
    if exchange.path == Some(health::PATH) && answer.status == 200 {
        return;
    }
    let line = serde_json::json!({
        "level": "info",
        "message": "request",
        "requestId": exchange.request_id,
        "method": method.as_ref(),
        "route": exchange.path,
        "status": answer.status,
        "code": answer.code,
        "ms": ms,
    });
    worker::console_log!("{line}");
}

/// Routes that take VAUs.
async fn submit(
    route: Route,
    request: &mut Request,
    bindings: &Bindings,
    settings: Result<Settings, SettingsError>,
    exchange: &mut Exchange,
) -> Answer {
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return exchange.refusal(not_configured(error)),
    };
    let answer = if route == Route::Batch {
        let taken = batch::submit(request, bindings, &settings, &mut exchange.rate).await;
        taken.map(|(told, larger)| (exchange.accepted(told), larger))
    } else {
        let taken = vau::submit(request, bindings, &settings, &mut exchange.rate).await;
        taken.map(|(receipt, larger)| (exchange.success(receipt), larger))
    };
    match answer {
        Ok((answer, false)) => answer,
        Ok((answer, true)) => answer.asking_for_larger_batches(),
        Err(refusal) => exchange.refusal(refusal),
    }
}

/// Routes that only tell something.
async fn read(
    route: Route,
    request: &Request,
    bindings: &Bindings,
    settings: Result<Settings, SettingsError>,
    exchange: &Exchange,
) -> Answer {
    if route == Route::Health {
        let health = health::check(bindings, settings.map(drop)).await;
        return exchange.json(health.code(), "application/json", &health);
    }
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return exchange.refusal(not_configured(error)),
    };
    let told = match route {
        Route::Status => status::find(request, bindings, &settings)
            .await
            .map(|found| exchange.success(found)),
        Route::Metrics => operator::report(request, bindings, &settings)
            .await
            .map(|report| exchange.text(exposition::MEDIA_TYPE, exposition::text(&report))),
        Route::Cohorts(which) => cohorts::tell(which, request, bindings, &settings)
            .await
            .map(|told| exchange.json(200, "application/json", &told)),
        _ => operator::report(request, bindings, &settings)
            .await
            .map(|report| exchange.success(report.hours)),
    };
    told.unwrap_or_else(|refusal| exchange.refusal(refusal))
}

fn not_configured(error: SettingsError) -> Refusal {
    log_error("the Worker is not configured", &error);
    Refusal::unavailable("The service is not configured completely.")
}
