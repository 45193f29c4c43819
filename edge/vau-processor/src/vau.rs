//! `POST /api/v1/vau`: one signed VAU.

use crate::caller::{Caller, Rules, admit};
use crate::intake::{Intake, take};
use crate::webcrypto;
use contracts::Code;
use contracts::vau::{VauAccepted, VauSubmission};
use durable_objects::{Bindings, now};
use edge_core::limit::Rate;
use edge_core::shard::{Candidate, Class, Group, Lookup};
use edge_core::{Refusal, Settings, request as rules, signature, window};
use worker::Request;

/// The route.
pub(crate) const PATH: &str = "/api/v1/vau";

/// Takes a VAU in, or says why not. `rate` is where the caller stands by then.
pub(crate) async fn submit(
    request: &mut Request,
    bindings: &Bindings,
    settings: &Settings,
    rate: &mut Option<Rate>,
) -> Result<(VauAccepted, bool), Refusal> {
    let route = Rules {
        class: Class::Single,
        path: PATH,
        max_bytes: rules::MAX_BODY_BYTES,
        too_large: rules::too_large,
    };
    let Caller {
        claims,
        address,
        body,
    } = admit(request, settings, route, rate).await?;
    let vau = rules::parse(&body)?;
    window::check(&vau, now())?;
    check_signature(&vau).await?;
    if vau.user_id != claims.sub {
        return Err(Refusal::new(
            Code::PermissionDenied,
            "userId must be the wallet that signed in.",
        ));
    }
    let signature = Some(vau.signature.clone());
    let intake = Intake {
        class: Class::Single,
        address,
        user_id: vau.user_id,
        groups: vec![Group {
            device_id: vau.device_id,
            lookup: Lookup::NotAsked,
            signed: None,
            others: Vec::new(),
            items: vec![Candidate::of(0, vau, signature)],
        }],
    };
    let taken = take(bindings, settings, intake, rate).await?;
    let (_, outcome) = taken
        .outcomes
        .into_iter()
        .next()
        .ok_or(Refusal::unavailable(
            "VAUs cannot be stored at the moment; try again.",
        ))?;
    Ok((outcome.answer()?, taken.larger_batches))
}

/// Whether the VAU's device has signed it.
pub(crate) async fn check_signature(vau: &VauSubmission) -> Result<(), Refusal> {
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
