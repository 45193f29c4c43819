//! The routes, one file a resource.

mod jwks;
mod nonce;
mod refresh;
mod sessions;
mod tokens;
mod verify;

use crate::state::AppState;
use service::access::Routes;
use service::server::{About, App};
use service::version::Revision;

/// The whole application.
pub(crate) fn app(state: AppState, revision: Option<Revision>) -> App {
    let checks = state.ready_checks();
    let guards = state.guards.clone();
    let public = Routes::new()
        .merge(nonce::router())
        .merge(verify::router())
        .merge(refresh::router())
        .merge(sessions::router())
        .merge(jwks::router())
        .with_state(state);
    App::new(
        About {
            service: "auth-service",
            description: "Wallet sign-in: a nonce, a signed message, tokens, sessions, and the keys to verify tokens with.",
            revision,
        },
        guards,
        public,
        Routes::new(),
        checks,
    )
}
