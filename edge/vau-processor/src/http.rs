//! Requests and responses of the runtime.

use edge_core::Refusal;
use edge_core::answer::Answer;
use futures_util::StreamExt;
use worker::worker_sys::web_sys;
use worker::{AbortSignal, ByteStream, Fetch, Headers, Method, Request, RequestInit, Response};

/// The longest wait for another service, body included.
const TIMEOUT_MS: u32 = 5_000;

/// A header, when it is there and text.
pub(crate) fn header(request: &Request, name: &str) -> Option<String> {
    request.headers().get(name).ok().flatten()
}

/// Of a body that is refused, how much is still read: a client that is answered while it sends sees a broken
/// connection instead of the answer.
const DISCARDED_BYTES: usize = 1024 * 1024;

/// The body, as long as it stays within `limit` bytes; else `too_large`.
pub(crate) async fn body(
    request: &mut Request,
    limit: usize,
    too_large: Refusal,
) -> Result<Vec<u8>, Refusal> {
    let announced = header(request, "content-length").and_then(|n| n.parse::<u64>().ok());
    if announced.is_some_and(|n| n > limit as u64) {
        return Err(too_large);
    }
    let mut bytes = Vec::new();
    // Without a body there is no stream; an empty body is not JSON, and is told so later.
    let Ok(mut stream) = request.stream() else {
        return Ok(bytes);
    };
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| {
            Refusal::new(
                contracts::Code::RequestMalformed,
                "The body ended before it was complete.",
            )
        })?;
        if bytes.len() + chunk.len() > limit {
            skip(stream).await;
            return Err(too_large);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads past a body that nobody has looked at.
pub(crate) async fn discard(request: &mut Request) {
    if let Ok(stream) = request.stream() {
        skip(stream).await;
    }
}

async fn skip(mut stream: ByteStream) {
    let mut seen = 0;
    while let Some(Ok(chunk)) = stream.next().await {
        seen += chunk.len();
        if seen > DISCARDED_BYTES {
            return;
        }
    }
}

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

/// The runtime's response for an answer.
pub(crate) fn response(answer: Answer) -> worker::Result<Response> {
    let headers = Headers::new();
    for (name, value) in &answer.headers {
        headers.set(name, value)?;
    }
    let builder = Response::builder()
        .with_status(answer.status)
        .with_headers(headers);
    Ok(match answer.body {
        Some(body) => builder.fixed(body.into_bytes()),
        None => builder.empty(),
    })
}
