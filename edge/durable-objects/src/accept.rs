//! Taking VAUs in: one decision, one transaction, one row of the journal.

use crate::store::{Store, StoreError};
use crate::transaction::atomically;
use domain::{DeviceId, EpochMs, VauId};
use edge_core::Settings;
use edge_core::admission::{Conflict, Facts, Standing, admit, standing};
use edge_core::device::DeviceRecord;
use edge_core::limit::Rate;
use edge_core::memory::{Entry, Memory};
use edge_core::meter::{Stage, until_tomorrow};
use edge_core::recent::Known;
use edge_core::shard::{Accept, Accepted, Class, Group, Lookup, Outcome, Reply};
use worker::State;

/// Beyond this the object takes nothing more in: what it has accepted must fit.
const MAX_BYTES: usize = 1 << 30;

/// The answer, and by how many bytes the journal has grown.
pub(crate) type Taking = (Accepted, usize);

/// Decides about a request and writes what follows from it, all or nothing.
pub(crate) fn accept(
    state: &State,
    store: &Store,
    memory: &mut Memory,
    settings: &Settings,
    request: Accept,
    now: EpochMs,
) -> Result<Taking, StoreError> {
    let used = stage(memory, settings, now);
    let (within, rate) = charge(memory, settings, &request, now);
    let answer = |reply| Accepted {
        rate,
        larger_batches: used >= Stage::LargerBatches,
        reply,
    };
    if !within {
        memory.totals.rate_limited = memory.totals.rate_limited.saturating_add(1);
        return Ok((answer(Reply::RateLimited), 0));
    }
    if used == Stage::Exhausted {
        memory.totals.exhausted = memory.totals.exhausted.saturating_add(1);
        return Ok((answer(Reply::Exhausted(until_tomorrow(now))), 0));
    }
    if store.bytes() > MAX_BYTES {
        return Ok((answer(Reply::Full), 0));
    }
    let plan = match plan(store, memory, settings, request, now)? {
        Ok(plan) => plan,
        Err(unknown) => return Ok((answer(Reply::AskAbout(unknown)), 0)),
    };
    let outcomes = plan.outcomes.clone();
    let grown = write(state, store, memory, plan, now)?;
    count(memory, &outcomes);
    Ok((answer(Reply::Decided(outcomes)), grown))
}

/// How far the day's free allowances are used.
pub(crate) fn stage(memory: &Memory, settings: &Settings, now: EpochMs) -> Stage {
    if settings.free_tier {
        memory.usage.stage(now)
    } else {
        Stage::Plenty
    }
}

/// Counts the request; the second call for the same request only looks.
fn charge(
    memory: &mut Memory,
    settings: &Settings,
    request: &Accept,
    now: EpochMs,
) -> (bool, Rate) {
    let limit = match request.class {
        Class::Single => settings.rate_per_minute,
        Class::Batch => settings.batches_per_minute,
    };
    if request.counted {
        return (
            true,
            memory.look(request.class, &request.address, limit, now),
        );
    }
    match memory.take(request.class, &request.address, limit, now) {
        Ok(rate) => (true, rate),
        Err(rate) => (false, rate),
    }
}

/// What a request leads to.
struct Plan {
    entry: Entry,
    vaus: Vec<(VauId, Known)>,
    devices: Vec<(DeviceId, DeviceRecord)>,
    conflicts: Vec<(Conflict, u64)>,
    outcomes: Vec<(u32, Outcome)>,
}

/// Decides about every device's part, or names the devices that have to be asked about first.
fn plan(
    store: &Store,
    memory: &Memory,
    settings: &Settings,
    request: Accept,
    now: EpochMs,
) -> Result<Result<Plan, Vec<DeviceId>>, StoreError> {
    let facts = Facts {
        now,
        emission_cap: settings.emission_cap,
    };
    let seq = memory.next();
    let mut plan = Plan {
        entry: Entry {
            class: request.class,
            address: request.address,
            promised: memory.promised(now),
            groups: Vec::new(),
            conflicts: Vec::new(),
        },
        vaus: Vec::new(),
        devices: Vec::new(),
        conflicts: Vec::new(),
        outcomes: Vec::new(),
    };
    let mut unknown = Vec::new();
    for group in request.groups {
        let device_id = group.device_id;
        let kept = store.device(&device_id)?;
        let record = match standing(&request.user_id, kept, group.lookup, now) {
            Standing::Confirmed(record) => record,
            Standing::Unavailable => {
                plan.refuse(&group, &Outcome::DeviceUnavailable);
                continue;
            }
            Standing::Unknown if group.lookup == Lookup::NotAsked => {
                unknown.push(device_id);
                continue;
            }
            Standing::Unknown => {
                plan.refuse(&group, &Outcome::DeviceUnknown);
                continue;
            }
        };
        let promised = plan.entry.promised;
        let decided = admit(&request.user_id, group, record, facts, promised, |id| {
            memory.recent.get(id).cloned()
        });
        plan.entry.promised = decided.promised;
        plan.outcomes.extend(decided.outcomes);
        if let Some(group) = decided.accepted {
            plan.vaus.extend(group.vaus().map(|vau| {
                let known = Known {
                    fingerprint: vau.fingerprint,
                    accepted_at: now,
                    trust_score: vau.trust_score,
                    earned: vau.earned,
                };
                (vau.vau_id, known)
            }));
            plan.entry.groups.push(group);
        }
        plan.devices
            .extend(decided.device.map(|record| (device_id, record)));
        for conflict in decided.conflicts {
            // What it contradicts is in an earlier row, or in the one that is being written.
            let after = memory.recent.place(&conflict.vau_id).unwrap_or(seq);
            plan.conflicts.push((conflict, after));
        }
    }
    Ok(if unknown.is_empty() {
        Ok(plan)
    } else {
        Err(unknown)
    })
}

impl Plan {
    fn refuse(&mut self, group: &Group, outcome: &Outcome) {
        let refused = group.items.iter().map(|item| (item.index, outcome.clone()));
        self.outcomes.extend(refused);
    }
}

/// Writes the plan; when it is written, the memory knows it too. Nothing is awaited in between.
fn write(
    state: &State,
    store: &Store,
    memory: &mut Memory,
    plan: Plan,
    now: EpochMs,
) -> Result<usize, StoreError> {
    let Plan {
        mut entry,
        vaus,
        devices,
        conflicts,
        ..
    } = plan;
    let seq = memory.next();
    let flushed = memory.flushed();
    let grown = atomically(state, || {
        for (id, record) in &devices {
            store.put_device(id, record)?;
        }
        for (conflict, after) in conflicts {
            let free = store.report_conflict(&conflict.vau_id, conflict.group, after, flushed)?;
            entry.conflicts.extend(free);
        }
        if entry.is_empty() {
            return Ok(0);
        }
        store.append(seq, now, &entry, &vaus)
    })?;
    if grown > 0 {
        memory.apply(seq, now, &entry, vaus);
    }
    Ok(grown)
}

fn count(memory: &mut Memory, outcomes: &[(u32, Outcome)]) {
    let totals = &mut memory.totals;
    for (_, outcome) in outcomes {
        let count = match outcome {
            // Counted with the row, so that the figure survives.
            Outcome::Accepted(_) => continue,
            Outcome::Duplicate(_) => &mut totals.duplicates,
            Outcome::Conflicting => &mut totals.conflicts,
            _ => &mut totals.refused,
        };
        *count = count.saturating_add(1);
    }
}
