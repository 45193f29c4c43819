//! `GET /api/v1/vau/status/{vauId}`: how far a VAU of the caller has come.

use crate::{backend, caller, shard};
use contracts::Code;
use contracts::vau::VauStatus;
use domain::VauId;
use durable_objects::{Bindings, now};
use edge_core::shard::Find;
use edge_core::{Refusal, Settings};
use worker::Request;

/// What the route's paths begin with.
pub(crate) const PREFIX: &str = "/api/v1/vau/status/";

/// Finds the VAU at the edge or, when it has left, in the backend. A stranger's is not found.
pub(crate) async fn find(
    request: &Request,
    bindings: &Bindings,
    settings: &Settings,
) -> Result<VauStatus, Refusal> {
    let claims = caller::bearer(request, settings, now()).await?;
    let path = request.path();
    let vau_id = path
        .strip_prefix(PREFIX)
        .and_then(|id| VauId::try_from(id).ok())
        .ok_or(NOT_FOUND)?;
    let find = Find {
        vau_id,
        user_id: claims.sub,
    };
    if let Some(status) = shard::find(bindings, &find).await? {
        return Ok(status);
    }
    backend::vau(settings, &find).await?.ok_or(NOT_FOUND)
}

const NOT_FOUND: Refusal = Refusal::new(
    Code::NotFound,
    "There is no such VAU of yours; ids are 32 lower-case hex digits.",
);
