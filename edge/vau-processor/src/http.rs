//! Requests and responses of the runtime.

pub(crate) use edge_runtime::{body, discard, header, response};

use worker::worker_sys::web_sys;
use worker::{AbortSignal, Fetch, Headers, Method, Request, RequestInit};

/// The longest wait for another service, body included.
const TIMEOUT_MS: u32 = 5_000;

/// Another service's answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Calls another service; errors are the network's or the time's.
pub(crate) async fn call(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> worker::Result<Reply> {
    let sent = Headers::new();
    for (name, value) in headers {
        sent.set(name, value)?;
    }
    let mut init = RequestInit::new();
    init.with_method(method)
        .with_headers(sent)
        .with_body(body.map(wasm_bindgen::JsValue::from_str))
        // A signed request is for the address it was signed for.
        .with_redirect(worker::RequestRedirect::Manual);
    let request = Request::new_with_init(url, &init)?;
    let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(TIMEOUT_MS));
    let mut response = Fetch::Request(request).send_with_signal(&signal).await?;
    Ok(Reply {
        status: response.status_code(),
        body: response.bytes().await?,
    })
}
