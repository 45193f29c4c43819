//! Requests to the Worker behind.

use crate::bindings::Bindings;
use edge_core::Refusal;
use edge_core::proxy::Forwarded;
use edge_runtime::log_error;
use js_sys::Uint8Array;
use worker::{Headers, Method, Request, RequestInit, RequestRedirect, Response};

/// A request as it is passed on.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: Forwarded,
    pub(crate) request_id: String,
    pub(crate) body: Option<Vec<u8>>,
}

/// The answer of the Worker behind, untouched.
pub(crate) async fn send(bindings: &Bindings, outgoing: Outgoing) -> Result<Response, Refusal> {
    try_send(bindings, outgoing).await.map_err(|error| {
        log_error("vau-processor could not be asked", &error);
        Refusal::unavailable("The service does not answer at the moment; try again.")
    })
}

async fn try_send(bindings: &Bindings, outgoing: Outgoing) -> worker::Result<Response> {
    let headers = Headers::new();
    for (name, value) in &outgoing.headers {
        headers.set(name, value)?;
    }
    headers.set("x-request-id", &outgoing.request_id)?;
    let mut init = RequestInit::new();
    init.with_method(outgoing.method)
        .with_headers(headers)
        .with_body(outgoing.body.map(|body| Uint8Array::from(&body[..]).into()))
        .with_redirect(RequestRedirect::Manual);
    let request = Request::new_with_init(&outgoing.url, &init)?;
    bindings.vau_processor()?.fetch_request(request).await
}
