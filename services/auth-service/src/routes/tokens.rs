//! The answer that carries tokens.

use crate::state::AppState;
use crate::store::keys::Keys;
use crate::store::sessions::Grant;
use contracts::auth::TokenResponse;
use service::{ApiError, clock};

/// Signs an access token for the session of `grant`.
pub(super) fn response(
    state: &AppState,
    keys: &Keys,
    grant: Grant,
) -> Result<TokenResponse, ApiError> {
    let claims = state.tokens.claims(grant.session, clock::now_seconds());
    let access_token = keys
        .signer
        .sign(&claims)
        .map_err(|error| ApiError::internal(&error))?;
    Ok(TokenResponse {
        token_type: "Bearer".to_owned(),
        access_token,
        expires_in: claims.exp.saturating_sub(claims.iat),
        refresh_token: grant.refresh_token,
        refresh_expires_in: grant.refresh_expires_in.as_secs(),
    })
}
