//! HTTP: one file for each resource.

mod devices;
mod ingest;
mod me;

use crate::state::AppState;
use aide::axum::ApiRouter;

/// What clients call.
pub fn public() -> ApiRouter<AppState> {
    me::router().merge(devices::router())
}

/// What the edge calls.
pub fn internal() -> ApiRouter<AppState> {
    ingest::router()
}
