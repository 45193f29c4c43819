//! `POST /auth/nonce`.

use crate::domain::nonce::Nonce;
use crate::state::AppState;
use crate::store::nonces;
use axum::extract::State;
use contracts::auth::{NonceRequest, NonceResponse};
use service::ApiError;
use service::access::{Routes, Rule};
use service::extract::Json;
use service::limit::RateClass;
use telemetry::metrics::AUTH_NONCE_ISSUED;
use time::OffsetDateTime;

/// A wallet address and its quotes, with room to spare.
const BODY_LIMIT: usize = 4 * 1024;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().post("/auth/nonce", Rule::public(RateClass::SignIn), nonce, |op| {
            op.id("createNonce")
                .summary("Ask for a message to sign")
                .description(
                    "Gives out a one-time nonce and the text that carries it. The wallet signs the text \
                     byte for byte; `POST /auth/verify` takes it back once, within `ttlSeconds`.",
                )
                .tag("auth")
        },
    )
}

async fn nonce(
    State(state): State<AppState>,
    Json(request): Json<NonceRequest, BODY_LIMIT>,
) -> Result<Json<NonceResponse>, ApiError> {
    super::limit_wallet(&state, request.wallet_address).await?;
    let nonce = Nonce::random().map_err(|error| ApiError::internal(&error))?;
    let now = OffsetDateTime::now_utc();
    let challenge = state.challenger.sign_in(request.wallet_address, nonce, now);
    nonces::remember(&state.redis, &challenge).await?;
    metrics::counter!(AUTH_NONCE_ISSUED).increment(1);
    Ok(Json(challenge.into()))
}
