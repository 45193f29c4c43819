//! `POST /api/v1/vau/batch`: up to a hundred VAUs, signed one by one or as a whole.

use crate::caller::{Caller, Rules, admit};
use crate::intake::{Intake, Taken, take};
use crate::vau::check_signature;
use crate::webcrypto;
use contracts::Code;
use contracts::vau::BatchAccepted;
use durable_objects::{Bindings, now};
use edge_core::batch::{self, Batch};
use edge_core::batch_answer::answer;
use edge_core::limit::Rate;
use edge_core::shard::Class;
use edge_core::{Refusal, Settings};
use worker::Request;

/// The route.
pub(crate) const PATH: &str = "/api/v1/vau/batch";

/// Takes a batch in and says of each VAU what became of it, or why the whole is refused.
pub(crate) async fn submit(
    request: &mut Request,
    bindings: &Bindings,
    settings: &Settings,
    rate: &mut Option<Rate>,
) -> Result<(BatchAccepted, bool), Refusal> {
    let route = Rules {
        class: Class::Batch,
        path: PATH,
        max_bytes: batch::MAX_BODY_BYTES,
        too_large: batch::too_large,
    };
    let Caller {
        claims,
        address,
        body,
    } = admit(request, settings, route, rate).await?;
    let mut batch = batch::parse(&body)?;
    batch.check_time(now())?;
    check_signatures(&mut batch).await?;
    batch.check_user(&claims.sub);
    let batch_id = batch.batch_id.clone();
    let (groups, refused) = batch.divide();
    let taken = if groups.is_empty() {
        Taken {
            outcomes: Vec::new(),
            larger_batches: false,
        }
    } else {
        let intake = Intake {
            class: Class::Batch,
            address,
            user_id: claims.sub,
            groups,
        };
        take(bindings, settings, intake, rate).await?
    };
    let told = answer(batch_id, refused, taken.outcomes);
    Ok((told, taken.larger_batches))
}

/// One signature for the whole is checked once, whatever the number of VAUs.
async fn check_signatures(batch: &mut Batch) -> Result<(), Refusal> {
    if let Some(seal) = &batch.seal {
        let holds = match &seal.signature {
            Some(signature) => {
                webcrypto::holds(seal.device_id.as_bytes(), &seal.message, signature).await
            }
            None => false,
        };
        return if holds {
            Ok(())
        } else {
            Err(Refusal::new(
                Code::VauSignatureInvalid,
                "The device's signature does not hold for this batch.",
            ))
        };
    }
    let checks = batch
        .items()
        .iter()
        .map(async |(index, vau)| check_signature(vau).await.err().map(|why| (*index, why)));
    let wrong = futures_util::future::join_all(checks).await;
    for (index, refusal) in wrong.into_iter().flatten() {
        batch.refuse(index, &refusal);
    }
    Ok(())
}
