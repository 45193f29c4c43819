//! The routes, one file a resource.

mod jwks;
mod nonce;
mod verify;

use crate::state::AppState;
use aide::axum::ApiRouter;
use service::server::{About, App};
use service::version::Revision;

/// The whole application.
pub(crate) fn app(state: AppState, revision: Option<Revision>) -> App {
    let checks = state.ready_checks();
    let public = ApiRouter::new()
        .merge(nonce::router())
        .merge(verify::router())
        .merge(jwks::router())
        .with_state(state);
    App::new(
        About {
            service: "auth-service",
            description: "Wallet sign-in: a nonce, a signed message, an access token, and the keys to verify it.",
            revision,
        },
        public,
        ApiRouter::new(),
        checks,
    )
}
