//! Callers that look like machines: the task, and the proof.

use crate::bindings::Bindings;
use contracts::Code;
use edge_core::challenge::{self, Scope, Solved, Task};
use edge_core::guard::Test;
use edge_core::limiter::{SPEND, Spend, Spent};
use edge_core::spent::SpentHere;
use edge_core::{GuardSettings, Refusal, Secret};
use edge_runtime::{log_error, now};
use serde::Deserialize;
use std::cell::RefCell;
use uuid::Uuid;
use wasm_bindgen::JsValue;
use worker::worker_sys::web_sys;
use worker::{AbortSignal, Fetch, Headers, Method, Request, RequestInit};

/// The longest wait for Turnstile.
const TIMEOUT_MS: u32 = 5_000;

thread_local! {
    /// Used where the object cannot be asked.
    static SPENT: RefCell<SpentHere> = const { RefCell::new(SpentHere::new()) };
}

/// Lets a caller with a good proof through, and gives a task to one without.
pub(crate) async fn pass(
    bindings: &Bindings,
    settings: &GuardSettings,
    proof: Option<&str>,
    scope: Scope<'_>,
) -> Result<(), Refusal> {
    let Some(proof) = proof else {
        return Err(task(settings, scope).refusal());
    };
    let solved = challenge::check(&settings.challenge_secret, proof, scope, now())?;
    match (&solved.token, &settings.test) {
        (Some(token), Test::Turnstile { secret, url, .. }) => ask(url, secret, token).await?,
        (None, _) => {}
        // A challenge of before this deployment; its token would go to nobody.
        (Some(_), Test::Work(_)) => return Err(task(settings, scope).refusal()),
    }
    if is_fresh(bindings, &solved).await {
        Ok(())
    } else {
        Err(challenge::used())
    }
}

fn task(settings: &GuardSettings, scope: Scope<'_>) -> Task {
    let (bits, site_key) = match &settings.test {
        Test::Work(bits) => (*bits, None),
        Test::Turnstile { site_key, .. } => (0, Some(site_key.clone())),
    };
    let now = now();
    let nonce = Uuid::new_v4().into_bytes();
    Task {
        challenge: challenge::issue(&settings.challenge_secret, nonce, bits, scope, now),
        kind: if site_key.is_some() {
            "turnstile"
        } else {
            "proof-of-work"
        },
        difficulty: (bits > 0).then_some(bits),
        site_key,
        expires_at: now.get().saturating_add(challenge::TTL_MS),
    }
}

async fn is_fresh(bindings: &Bindings, solved: &Solved) -> bool {
    let message = Spend {
        id: solved.id.clone(),
        until: solved.until,
    };
    match bindings.limiter::<_, Spent>(SPEND, &message).await {
        Some(answer) => answer.fresh,
        None => SPENT.with_borrow_mut(|here| here.spend(&message.id, message.until, now())),
    }
}

#[derive(Deserialize)]
struct Verdict {
    success: bool,
}

/// Asks Turnstile about a token, which is good once.
async fn ask(url: &str, secret: &Secret, token: &str) -> Result<(), Refusal> {
    let verdict = verdict(url, secret, token).await.map_err(|error| {
        log_error("Turnstile could not be asked", &error);
        Refusal::unavailable("The challenge cannot be checked at the moment; try again.")
    })?;
    if verdict.success {
        return Ok(());
    }
    Err(Refusal::new(
        Code::ChallengeInvalid,
        "Turnstile does not take the token; ask for another challenge by sending the request without a proof.",
    ))
}

async fn verdict(url: &str, secret: &Secret, token: &str) -> worker::Result<Verdict> {
    let secret = String::from_utf8_lossy(secret.bytes()).into_owned();
    let body = serde_json::json!({ "secret": secret, "response": token }).to_string();
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_headers(headers)
        .with_body(Some(JsValue::from_str(&body)));
    let request = Request::new_with_init(url, &init)?;
    let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(TIMEOUT_MS));
    let mut response = Fetch::Request(request).send_with_signal(&signal).await?;
    Ok(serde_json::from_slice(&response.bytes().await?)?)
}
