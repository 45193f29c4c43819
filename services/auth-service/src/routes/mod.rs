//! The routes, one file a resource.

mod jwks;
mod nonce;
mod refresh;
mod sessions;
mod tokens;
mod verify;
mod wallets;

use crate::state::AppState;
use contracts::Code;
use domain::WalletAddress;
use service::ApiError;
use service::access::Routes;
use service::limit::{RateClass, RateKey};
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
        .merge(wallets::router())
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

/// Counts a nonce for `wallet`, whoever asks: nobody floods a person with messages to sign.
async fn limit_wallet(state: &AppState, wallet: WalletAddress) -> Result<(), ApiError> {
    let who = RateKey::Wallet(wallet);
    state
        .guards
        .limiter
        .check(RateClass::NoncePerWallet, &who)
        .await?;
    Ok(())
}

/// The nonce does not stand for a message that waits.
fn nonce_unknown() -> ApiError {
    ApiError::new(
        Code::AuthNonceUsed,
        "The nonce is used, expired or unknown; ask for a new one.",
    )
}

fn not_the_message() -> ApiError {
    ApiError::new(
        Code::AuthSignatureInvalid,
        "The message is not the one that was given out with this nonce; ask for a new one.",
    )
}
