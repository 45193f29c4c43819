//! Taking a VAU in: one transaction from the rate limit to the outbox.

use crate::store::{Store, StoreError};
use crate::transaction::atomically;
use domain::EpochMs;
use edge_core::Settings;
use edge_core::admission::{Admission, DeviceRecord, Facts, Lookup, admit};
use edge_core::limit::{Rate, Taken, take};
use edge_core::shard::{Accept, Accepted, Outcome};
use worker::State;

/// Beyond this the object takes nothing more in: what it has accepted must fit.
const MAX_BYTES: usize = 1 << 30;

/// The answer, and by how many bytes the outbox has grown.
pub(crate) type Taking = (Accepted, usize);

/// Decides about a VAU and writes what follows from it, all or nothing.
pub(crate) fn accept(
    state: &State,
    store: &Store,
    settings: &Settings,
    request: Accept,
    now: EpochMs,
) -> Result<Taking, StoreError> {
    atomically(state, || {
        let (within, rate) = charge(store, settings, &request, now)?;
        let ended = |outcome| Ok((Accepted { rate, outcome }, 0));
        if !within {
            return ended(Outcome::RateLimited);
        }
        if store.bytes() > MAX_BYTES {
            return ended(Outcome::Full);
        }
        let (outcome, grown) = decide(store, settings, request, now)?;
        Ok((Accepted { rate, outcome }, grown))
    })
}

/// Counts the request; the second call for the same request only looks.
fn charge(
    store: &Store,
    settings: &Settings,
    request: &Accept,
    now: EpochMs,
) -> Result<(bool, Rate), StoreError> {
    let counter = store.counter(&request.address)?;
    let limit = settings.rate_per_minute;
    match (request.lookup, take(counter, limit, now)) {
        (Lookup::NotAsked, Taken::Within(counter, rate)) => {
            store.put_counter(&request.address, counter)?;
            Ok((true, rate))
        }
        (Lookup::NotAsked, Taken::Beyond(rate)) => Ok((false, rate)),
        (_, Taken::Beyond(rate)) => Ok((true, rate)),
        (_, Taken::Within(_, rate)) => {
            let remaining = rate.remaining.saturating_add(1);
            Ok((true, Rate { remaining, ..rate }))
        }
    }
}

fn decide(
    store: &Store,
    settings: &Settings,
    request: Accept,
    now: EpochMs,
) -> Result<(Outcome, usize), StoreError> {
    let vau = request.vau;
    let (device_id, user_id) = (vau.device_id, vau.user_id);
    let known = store.device(&device_id)?;
    let earlier = store.earlier(vau.signed_fields().id())?;
    let facts = Facts {
        now,
        device: known.as_ref(),
        lookup: request.lookup,
        earlier: earlier.as_ref(),
        promised_today: store.promised(now.utc_day())?,
        emission_cap: settings.emission_cap,
    };
    let admission = admit(vau, &facts);
    let confirmed = || DeviceRecord::confirmed(known, user_id, now);
    let grown = match &admission {
        Admission::Accepted {
            item,
            device,
            promised_today,
        } => {
            store.put_device(&device_id, device)?;
            if *promised_today != facts.promised_today {
                store.put_promised(now.utc_day(), *promised_today)?;
            }
            store.remember(item)?;
            store.append(item)?
        }
        other => {
            if request.lookup == Lookup::Registered {
                store.put_device(&device_id, &confirmed())?;
            }
            if let Admission::Conflicting(item) = other {
                store.report_conflict(item)?;
            }
            0
        }
    };
    Ok((Outcome::from(&admission), grown))
}
