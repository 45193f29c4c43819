//! What every Worker does with the runtime: bodies, headers, answers, the clock, the log.

use contracts::Code;
use domain::EpochMs;
use edge_core::Refusal;
use edge_core::answer::Answer;
use futures_util::StreamExt;
use worker::{ByteStream, Date, Headers, Request, Response};

/// Of a body that is refused, how much is still read: a client that is answered while it sends sees a broken
/// connection instead of the answer.
const DISCARDED_BYTES: usize = 1024 * 1024;

/// The runtime's clock.
pub fn now() -> EpochMs {
    EpochMs::new(Date::now().as_millis()).unwrap_or(EpochMs::MAX)
}

/// Writes one structured line to the log.
pub fn log_error(message: &str, cause: &dyn std::fmt::Display) {
    let line =
        serde_json::json!({ "level": "error", "message": message, "cause": cause.to_string() });
    worker::console_error!("{line}");
}

/// A header, when it is there and text.
pub fn header(request: &Request, name: &str) -> Option<String> {
    request.headers().get(name).ok().flatten()
}

/// The body, as long as it stays within `limit` bytes; `too_large` is the answer when it does not.
pub async fn body(
    request: &mut Request,
    limit: usize,
    too_large: fn() -> Refusal,
) -> Result<Vec<u8>, Refusal> {
    let announced = header(request, "content-length").and_then(|n| n.parse::<u64>().ok());
    if announced.is_some_and(|n| n > limit as u64) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    // Without a body there is no stream.
    let Ok(mut stream) = request.stream() else {
        return Ok(bytes);
    };
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| {
            Refusal::new(
                Code::RequestMalformed,
                "The body ended before it was complete.",
            )
        })?;
        if bytes.len() + chunk.len() > limit {
            skip(stream).await;
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads past a body that nobody has looked at.
pub async fn discard(request: &mut Request) {
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

/// The runtime's response for an answer.
pub fn response(answer: Answer) -> worker::Result<Response> {
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
