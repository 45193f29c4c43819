//! What happens to a request, in order.

use crate::bindings::Bindings;
use crate::forward::{self, Outgoing};
use contracts::Code;
use edge_core::answer::{Answer, Exchange, allowed_origin};
use edge_core::proxy::{self, Body, Forwarded, MAX_BODY_BYTES};
use edge_core::{Refusal, client, request as rules};
use edge_runtime::{body, discard, header, log_error, now, response};
use uuid::Uuid;
use worker::{Method, Request, Response};

/// Passes a request on, or answers it; writes a line to the log for what it answers itself.
pub(crate) async fn answer(mut request: Request, bindings: &Bindings) -> worker::Result<Response> {
    let started = now();
    let exchange = exchange(&request, bindings);
    match route(&mut request, bindings, &exchange).await {
        Ok(response) => Ok(response),
        Err(answer) => {
            discard(&mut request).await;
            let ms = now().get().saturating_sub(started.get());
            log(&exchange, &request.method(), &answer, ms);
            response(*answer)
        }
    }
}

fn exchange(request: &Request, bindings: &Bindings) -> Exchange {
    let settings = bindings.settings();
    if let Err(error) = &settings {
        log_error("the Worker is not configured", error);
    }
    let given = header(request, "x-request-id");
    let origin = header(request, "origin");
    Exchange {
        request_id: client::request_id(given.as_deref())
            .map_or_else(|| Uuid::new_v4().to_string(), str::to_owned),
        path: proxy::find(&request.path()).map(|route| route.path),
        origin: settings
            .ok()
            .and_then(|s| allowed_origin(origin.as_deref(), &s.allowed_origins)),
        rate: None,
    }
}

async fn route(
    request: &mut Request,
    bindings: &Bindings,
    exchange: &Exchange,
) -> Result<Response, Box<Answer>> {
    let refused = |refusal| Box::new(exchange.refusal(refusal));
    let Some(route) = proxy::find(&request.path()) else {
        return Err(refused(Refusal::new(
            Code::NotFound,
            "There is no such route.",
        )));
    };
    let method = request.method();
    if !route.answers(method.as_ref()) {
        return Err(Box::new(exchange.method_not_allowed(route.allow)));
    }
    if method == Method::Options {
        return Err(Box::new(exchange.preflight(route.allow)));
    }
    let headers = headers(request).map_err(refused)?;
    let body = match route.body {
        Body::None => None,
        Body::Json => Some(json(request).await.map_err(refused)?),
    };
    let url = request
        .url()
        .map_err(|_| refused(Refusal::new(Code::NotFound, "There is no such route.")))?;
    let outgoing = Outgoing {
        method,
        url: url.to_string(),
        headers,
        request_id: exchange.request_id.clone(),
        body,
    };
    forward::send(bindings, outgoing).await.map_err(refused)
}

fn headers(request: &Request) -> Result<Forwarded, Refusal> {
    let all: Vec<(String, String)> = request.headers().entries().collect();
    proxy::forward(
        all.iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    )
}

async fn json(request: &mut Request) -> Result<Vec<u8>, Refusal> {
    let bytes = body(request, MAX_BODY_BYTES, proxy::too_large).await?;
    rules::check_media_type(
        header(request, "content-type").as_deref(),
        header(request, "content-encoding").as_deref(),
    )?;
    Ok(bytes)
}

/// One line for an answer of ours, without anything that tells who called.
fn log(exchange: &Exchange, method: &Method, answer: &Answer, ms: u64) {
    let line = serde_json::json!({
        "level": "info",
        "message": "answered at the route",
        "requestId": exchange.request_id,
        "method": method.as_ref(),
        "route": exchange.path,
        "status": answer.status,
        "code": answer.code,
        "ms": ms,
    });
    worker::console_log!("{line}");
}
