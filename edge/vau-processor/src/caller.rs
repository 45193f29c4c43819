//! What every route that takes VAUs checks before it looks at them: the address's minute, the token, the body, the
//! integrator's HMAC.

use crate::{auth, http};
use contracts::token::AccessClaims;
use domain::EpochMs;
use domain::http_hmac::{KEY_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use durable_objects::now;
use edge_core::integrator::{self, HmacHeaders};
use edge_core::limit::{Addresses, Rate};
use edge_core::shard::{Class, rate_limited};
use edge_core::{Refusal, Settings, client, request as rules};
use std::cell::{Cell, RefCell};
use worker::Request;

thread_local! {
    /// Requests of each address that this isolate has seen, refused ones included.
    static SINGLE: RefCell<Addresses> = const { RefCell::new(Addresses::new()) };
    static BATCH: RefCell<Addresses> = const { RefCell::new(Addresses::new()) };
    /// Requests this isolate has seen since it last told the object.
    static SEEN: Cell<u32> = const { Cell::new(0) };
}

/// Counts a request, whatever comes of it.
pub(crate) fn seen() {
    SEEN.set(SEEN.get().saturating_add(1));
}

/// The requests that the object has not been told of; this one is among them, unless one beside it told of both.
pub(crate) fn unreported() -> u32 {
    SEEN.replace(0)
}

/// A caller who may hand VAUs in.
pub(crate) struct Caller {
    pub(crate) claims: AccessClaims,
    /// Key of the address.
    pub(crate) address: String,
    pub(crate) body: Vec<u8>,
}

/// The route's part of the checks.
pub(crate) struct Rules {
    pub(crate) class: Class,
    pub(crate) path: &'static str,
    pub(crate) max_bytes: usize,
    pub(crate) too_large: fn() -> Refusal,
}

/// Checks a request up to its body. `rate` is where the caller stands by then.
pub(crate) async fn admit(
    request: &mut Request,
    settings: &Settings,
    rules: Rules,
    rate: &mut Option<Rate>,
) -> Result<Caller, Refusal> {
    let arrived = now();
    let address = client::rate_key(http::header(request, "cf-connecting-ip").as_deref());
    let (counters, limit) = match rules.class {
        Class::Single => (&SINGLE, settings.rate_per_minute),
        Class::Batch => (&BATCH, settings.batches_per_minute),
    };
    let taken = counters.with_borrow_mut(|a| a.take(&address, limit, arrived));
    let (Ok(standing) | Err(standing)) = taken;
    *rate = Some(standing);
    taken.map_err(|standing| rate_limited(&standing, arrived))?;

    let claims = bearer(request, settings, arrived).await?;
    let body = http::body(request, rules.max_bytes, rules.too_large).await?;
    check_hmac(request, settings, rules.path, &body, arrived)?;
    rules::check_media_type(
        http::header(request, "content-type").as_deref(),
        http::header(request, "content-encoding").as_deref(),
    )?;
    Ok(Caller {
        claims,
        address,
        body,
    })
}

/// The claims of the caller's token.
pub(crate) async fn bearer(
    request: &Request,
    settings: &Settings,
    now: EpochMs,
) -> Result<AccessClaims, Refusal> {
    let authorization = http::header(request, "authorization");
    auth::caller(authorization.as_deref(), settings, now).await
}

fn check_hmac(
    request: &Request,
    settings: &Settings,
    path: &str,
    body: &[u8],
    now: EpochMs,
) -> Result<(), Refusal> {
    let [key_id, timestamp, signature] =
        [KEY_ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER].map(|name| http::header(request, name));
    let headers = HmacHeaders {
        key_id: key_id.as_deref(),
        timestamp: timestamp.as_deref(),
        signature: signature.as_deref(),
    };
    integrator::check(headers, &settings.integrator_keys, "POST", path, body, now)
}

/// Of a limit that the isolate and the object count, the stricter standing.
pub(crate) fn note(rate: &mut Option<Rate>, counted: Rate) {
    *rate = Some(rate.map_or(counted, |seen| seen.stricter(counted)));
}
