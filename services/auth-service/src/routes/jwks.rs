//! `GET /.well-known/jwks.json`.

use crate::state::AppState;
use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as ApiResponse, StatusCode};
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use contracts::auth::Jwks;
use service::ApiError;
use service::access::{Routes, Rule};
use service::extract::Json;
use service::limit::RateClass;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().get("/.well-known/jwks.json", Rule::public(RateClass::Unlimited), jwks, |op| {
            op.id("getJwks")
                .summary("The public keys of access tokens")
                .description("A new key appears here before it signs, an old one stays until its tokens are over.")
                .tag("auth")
        },
    )
}

async fn jwks(State(state): State<AppState>) -> Result<Cacheable, ApiError> {
    Ok(Cacheable(state.keys.current().await?.jwks.clone()))
}

/// A key set that verifiers may keep for five minutes.
struct Cacheable(Jwks);

impl IntoResponse for Cacheable {
    fn into_response(self) -> Response {
        let body: Json<Jwks> = Json(self.0);
        ([(CACHE_CONTROL, "public, max-age=300")], body).into_response()
    }
}

impl OperationOutput for Cacheable {
    type Inner = Jwks;

    fn operation_response(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Option<ApiResponse> {
        <Json<Jwks>>::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<StatusCode>, ApiResponse)> {
        <Json<Jwks>>::inferred_responses(context, operation)
    }
}
