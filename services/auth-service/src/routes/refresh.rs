//! `POST /auth/refresh`.

use super::tokens;
use crate::domain::refresh::RefreshToken;
use crate::state::AppState;
use crate::store::sessions::{Refreshed, Refusal};
use axum::extract::State;
use contracts::Code;
use contracts::auth::{RefreshRequest, TokenResponse};
use service::ApiError;
use service::access::{Routes, Rule};
use service::extract::Json;
use service::limit::RateClass;
use telemetry::metrics::AUTH_REFRESH;

/// A refresh token and its quotes, with room to spare.
const BODY_LIMIT: usize = 4 * 1024;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().post(
        "/auth/refresh",
        Rule::public(RateClass::Session),
        refresh,
        |op| {
            op.id("refreshSession")
                .summary("Exchange a refresh token for new tokens")
                .description(
                    "A refresh token works once, and the answer brings the next one. The same token again within \
                     30 s, as two tabs or a lost reply send it, gets the same next one; later it ends the session \
                     with `auth.refresh_reused`, since one of its two users may be a thief.",
                )
                .response::<401, ApiError>()
                .tag("sessions")
        },
    )
}

async fn refresh(
    State(state): State<AppState>,
    Json(request): Json<RefreshRequest, BODY_LIMIT>,
) -> Result<Json<TokenResponse>, ApiError> {
    let (word, result) = go_on(&state, &request.refresh_token).await;
    metrics::counter!(AUTH_REFRESH, "result" => word).increment(1);
    result.map(Json)
}

async fn go_on(state: &AppState, text: &str) -> (&'static str, Result<TokenResponse, ApiError>) {
    let Ok(token) = RefreshToken::try_from(text) else {
        return ("invalid", Err(invalid()));
    };
    match judge(state, &token).await {
        Ok(outcome) => outcome,
        Err(error) => ("error", Err(error)),
    }
}

async fn judge(
    state: &AppState,
    token: &RefreshToken,
) -> Result<(&'static str, Result<TokenResponse, ApiError>), ApiError> {
    // Asked for first, so that a token is not used up for an answer that cannot be given.
    let keys = state.keys.current().await?;
    let refusal = match state.sessions.refresh(token).await? {
        Refreshed::Granted { grant, repeated } => {
            let word = if repeated { "repeated" } else { "ok" };
            return Ok((word, tokens::response(state, &keys, grant)));
        }
        Refreshed::Refused(refusal) => refusal,
    };
    Ok(match refusal {
        Refusal::Invalid => ("invalid", Err(invalid())),
        Refusal::Reused(session) => {
            tracing::warn!(sid = %session, "a refresh token was used twice; its session is ended");
            let detail =
                "The refresh token was used before, so the session was ended; sign in again.";
            let error = ApiError::new(Code::AuthRefreshReused, detail);
            ("reused", Err(error))
        }
        Refusal::Ahead(session) => {
            tracing::error!(
                sid = %session,
                "a refresh token is newer than its session: was the database restored, or did keys leak? \
                 The session is ended"
            );
            ("ahead", Err(invalid()))
        }
    })
}

fn invalid() -> ApiError {
    ApiError::new(
        Code::AuthRefreshInvalid,
        "The refresh token is not valid, or its session is over; sign in again.",
    )
}
