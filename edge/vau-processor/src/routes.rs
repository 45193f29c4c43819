//! Which route answers, and what every answer has in common.

use crate::{health, http, vau};
use contracts::Code;
use durable_objects::{Bindings, log_error, now};
use edge_core::answer::{Answer, Exchange, allowed_origin};
use edge_core::{Refusal, Settings, SettingsError, client};
use uuid::Uuid;
use worker::{Method, Request, Response};

const VAU_METHODS: &str = "POST, OPTIONS";
const HEALTH_METHODS: &str = "GET, HEAD, OPTIONS";

/// Answers a request; writes one line to the log.
pub(crate) async fn answer(mut request: Request, bindings: &Bindings) -> worker::Result<Response> {
    let started = now();
    let settings = bindings.settings();
    let given = http::header(&request, "x-request-id");
    let origin = http::header(&request, "origin");
    let mut exchange = Exchange {
        request_id: client::request_id(given.as_deref())
            .map_or_else(|| Uuid::new_v4().to_string(), str::to_owned),
        path: known_path(&request.path()),
        origin: settings
            .as_ref()
            .ok()
            .and_then(|s| allowed_origin(origin.as_deref(), &s.allowed_origins)),
        rate: None,
    };
    let method = request.method();
    let answer = route(&mut request, bindings, settings, &mut exchange).await;
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

fn known_path(path: &str) -> Option<&'static str> {
    [vau::PATH, health::PATH]
        .into_iter()
        .find(|known| *known == path)
}

async fn route(
    request: &mut Request,
    bindings: &Bindings,
    settings: Result<Settings, SettingsError>,
    exchange: &mut Exchange,
) -> Answer {
    match (exchange.path, request.method()) {
        (Some(vau::PATH), Method::Post) => {
            let result = match &settings {
                Ok(settings) => vau::submit(request, bindings, settings, &mut exchange.rate).await,
                Err(error) => Err(not_configured(*error)),
            };
            match result {
                Ok(receipt) => exchange.success(receipt),
                Err(refusal) => exchange.refusal(refusal),
            }
        }
        (Some(vau::PATH), Method::Options) => exchange.preflight(VAU_METHODS),
        (Some(vau::PATH), _) => exchange.method_not_allowed(VAU_METHODS),
        (Some(health::PATH), Method::Get | Method::Head) => {
            let health = health::check(bindings, settings.map(drop)).await;
            let mut answer = exchange.json(health.code(), "application/json", &health);
            if request.method() == Method::Head {
                answer.body = None;
            }
            answer
        }
        (Some(health::PATH), Method::Options) => exchange.preflight(HEALTH_METHODS),
        (Some(_), _) => exchange.method_not_allowed(HEALTH_METHODS),
        (None, _) => exchange.refusal(Refusal::new(Code::NotFound, "There is no such route.")),
    }
}

fn not_configured(error: SettingsError) -> Refusal {
    log_error("the Worker is not configured", &error);
    Refusal::unavailable("The service is not configured completely.")
}
