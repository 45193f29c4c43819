//! What steps ask of answers.

use client::{Answer, Client, ClientError};
use contracts::{Code, Problem};
use reqwest::RequestBuilder;
use std::time::{Duration, Instant};

/// What a step found: a value for later steps and a few words, or why it failed.
pub(crate) type Found<T> = Result<(T, String), String>;

/// Sends a request that must be refused with `code`.
pub(crate) async fn refused(
    client: &Client,
    request: RequestBuilder,
    code: Code,
) -> Result<Problem, String> {
    let answer = client.send(request).await.map_err(text)?;
    problem(&answer, code)
}

/// The answer must be this refusal, whole: media type, status, stable code, request id.
pub(crate) fn problem(answer: &Answer, code: Code) -> Result<Problem, String> {
    let found = answer.problem().ok_or_else(|| {
        format!(
            "expected {} {code}, got {} {}",
            code.status(),
            answer.status,
            String::from_utf8_lossy(&answer.body)
        )
    })?;
    if found.code != code || answer.status != code.status() {
        return Err(format!(
            "expected {} {code}, got {} {}: {}",
            code.status(),
            answer.status,
            found.code,
            found.detail
        ));
    }
    if answer.header("x-request-id") != Some(found.request_id.as_str()) {
        return Err(format!("{code}: X-Request-ID is not the body's requestId"));
    }
    Ok(found)
}

/// A call that must be refused with `code`.
pub(crate) fn refusal<T>(result: Result<T, ClientError>, code: Code) -> Result<Problem, String> {
    match result {
        Ok(_) => Err(format!("expected {code}, but it was accepted")),
        Err(ClientError::Refused(refusal)) if refusal.problem.code == code => Ok(refusal.problem),
        Err(error) => Err(format!("expected {code}, got: {error}")),
    }
}

/// Asks again until `look` finds something, for at most `patience`.
pub(crate) async fn eventually<T, F>(
    what: &str,
    patience: Duration,
    mut look: impl FnMut() -> F,
) -> Result<T, String>
where
    F: Future<Output = Result<Option<T>, ClientError>>,
{
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look().await.map_err(text)? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            return Err(format!(
                "{what} did not come within {} s",
                patience.as_secs()
            ));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub(crate) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub(crate) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
