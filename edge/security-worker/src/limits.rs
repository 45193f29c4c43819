//! How often an address may ask where no VAUs are taken in. VAUs have limits of their own, in their object.

use crate::bindings::Bindings;
use edge_core::limit::{Addresses, Rate};
use edge_core::limiter::{TAKE, Take, Taken};
use edge_core::shard::rate_limited;
use edge_core::{GuardSettings, Refusal};
use edge_runtime::now;
use std::cell::RefCell;

thread_local! {
    /// What this isolate has seen: it stops a flood before the object is asked, and counts alone without it.
    static SEEN: RefCell<Addresses> = const { RefCell::new(Addresses::new()) };
}

/// Counts a request; where the caller stands, or that it has to wait.
pub(crate) async fn take(
    bindings: &Bindings,
    settings: &GuardSettings,
    network: &str,
) -> Result<Rate, (Rate, Refusal)> {
    let limit = settings.read_per_minute;
    let arrived = now();
    let beyond = |rate: Rate| (rate, rate_limited(&rate, arrived));
    let here = SEEN
        .with_borrow_mut(|seen| seen.take(network, limit, arrived))
        .map_err(beyond)?;
    let message = Take {
        key: network.to_owned(),
        limit,
    };
    match bindings.limiter::<_, Taken>(TAKE, &message).await {
        Some(taken) if taken.within => Ok(here.stricter(taken.rate)),
        Some(taken) => Err(beyond(taken.rate)),
        None => Ok(here),
    }
}
