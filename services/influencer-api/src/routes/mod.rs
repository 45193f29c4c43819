//! HTTP: one file for each resource.

mod credentials;
mod devices;
mod ingest;
mod ledger;
mod me;
mod payouts;
mod pools;
mod staking;

use crate::state::AppState;
use service::access::Routes;

/// What clients call.
pub fn public() -> Routes<AppState> {
    me::router()
        .merge(ledger::router())
        .merge(devices::router())
        .merge(credentials::router())
        .merge(staking::router())
        .merge(pools::router())
        .merge(payouts::router())
}

/// What the edge calls.
pub fn internal() -> Routes<AppState> {
    ingest::router()
}
