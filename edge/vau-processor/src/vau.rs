//! `POST /api/v1/vau`: one signed VAU.

use crate::backend::{self, Registration};
use crate::{auth, http, shard, webcrypto};
use contracts::Code;
use contracts::vau::{VauAccepted, VauSubmission};
use domain::EpochMs;
use domain::http_hmac::{KEY_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use durable_objects::{Bindings, now};
use edge_core::admission::Lookup;
use edge_core::integrator::{self, HmacHeaders};
use edge_core::limit::{Addresses, Rate};
use edge_core::shard::{Accept, Outcome, device_unknown, rate_limited};
use edge_core::{Refusal, Settings, client, request as rules, signature, window};
use std::cell::RefCell;
use worker::Request;

/// The route.
pub(crate) const PATH: &str = "/api/v1/vau";

thread_local! {
    /// Requests of each address that this isolate has seen, refused ones included.
    static ADDRESSES: RefCell<Addresses> = const { RefCell::new(Addresses::new()) };
}

/// Takes a VAU in, or says why not. `rate` is where the caller stands by then.
pub(crate) async fn submit(
    request: &mut Request,
    bindings: &Bindings,
    settings: &Settings,
    rate: &mut Option<Rate>,
) -> Result<VauAccepted, Refusal> {
    let arrived = now();
    let address = client::rate_key(http::header(request, "cf-connecting-ip").as_deref());
    let limit = settings.rate_per_minute;
    let taken = ADDRESSES.with_borrow_mut(|a| a.take(&address, limit, arrived));
    let (Ok(standing) | Err(standing)) = taken;
    *rate = Some(standing);
    taken.map_err(|standing| rate_limited(&standing, arrived))?;

    let authorization = http::header(request, "authorization");
    let claims = auth::caller(authorization.as_deref(), settings, arrived).await?;
    let body = http::body(request).await?;
    check_hmac(request, settings, &body, arrived)?;
    let vau = read(request, &body)?;
    window::check(&vau, now())?;
    check_signature(&vau).await?;
    if vau.user_id != claims.sub {
        return Err(Refusal::new(
            Code::PermissionDenied,
            "userId must be the wallet that signed in.",
        ));
    }
    accept(bindings, settings, vau, address, rate).await
}

fn read(request: &Request, body: &[u8]) -> Result<VauSubmission, Refusal> {
    rules::check_media_type(
        http::header(request, "content-type").as_deref(),
        http::header(request, "content-encoding").as_deref(),
    )?;
    rules::parse(body)
}

fn check_hmac(
    request: &Request,
    settings: &Settings,
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
    integrator::check(headers, &settings.integrator_keys, "POST", PATH, body, now)
}

async fn check_signature(vau: &VauSubmission) -> Result<(), Refusal> {
    let canonical = vau.signed_fields().canonical();
    let holds = match signature::parse(&vau.signature) {
        Some(signature) => webcrypto::holds(vau.device_id.as_bytes(), &canonical, &signature).await,
        None => false,
    };
    if holds {
        return Ok(());
    }
    Err(Refusal::new(
        Code::VauSignatureInvalid,
        "The device's signature does not hold for these fields.",
    ))
}

/// Asks the object; when it does not know the device (any more), asks the backend and the object again.
async fn accept(
    bindings: &Bindings,
    settings: &Settings,
    vau: VauSubmission,
    address: String,
    rate: &mut Option<Rate>,
) -> Result<VauAccepted, Refusal> {
    let (device, user) = (vau.device_id, vau.user_id);
    let mut request = Accept {
        vau,
        address,
        lookup: Lookup::NotAsked,
    };
    let mut accepted = shard::accept(bindings, &request).await?;
    if accepted.outcome == Outcome::DeviceUnknown {
        note(rate, accepted.rate);
        request.lookup = match backend::registration(settings, &device, &user).await {
            Registration::Theirs => Lookup::Registered,
            Registration::NotTheirs => return Err(device_unknown()),
            Registration::Unavailable => Lookup::Unavailable,
        };
        accepted = shard::accept(bindings, &request).await?;
    }
    note(rate, accepted.rate);
    accepted.answer(now())
}

fn note(rate: &mut Option<Rate>, counted: Rate) {
    *rate = Some(rate.map_or(counted, |seen| seen.stricter(counted)));
}
