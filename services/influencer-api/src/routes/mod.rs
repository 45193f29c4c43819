//! HTTP: one file for each resource.

mod devices;
mod ingest;
mod ledger;
mod me;

use crate::state::AppState;
use service::access::Routes;

/// What clients call.
pub fn public() -> Routes<AppState> {
    me::router()
        .merge(ledger::router())
        .merge(devices::router())
}

/// What the edge calls.
pub fn internal() -> Routes<AppState> {
    ingest::router()
}
