//! `GET /.well-known/jwks.json`.

use crate::state::AppState;
use crate::store::keys::PublishedKeys;
use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as ApiResponse, StatusCode};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode as HttpStatus};
use axum::response::{IntoResponse, Response};
use contracts::auth::Jwks;
use service::ApiError;
use service::access::{Routes, Rule};
use service::extract::Json;
use service::limit::RateClass;
use std::sync::Arc;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().get("/.well-known/jwks.json", Rule::public(RateClass::Unlimited), jwks, |op| {
            op.id("getJwks")
                .summary("The public keys of access tokens")
                .description("A new key appears here before it signs, an old one stays until its tokens are over.")
                .tag("auth")
        },
    )
}

async fn jwks(State(state): State<AppState>, headers: HeaderMap) -> Result<Cacheable, ApiError> {
    let keys = state.keys.current().await?.jwks.clone();
    let unchanged = is_known(&headers, &keys.etag);
    Ok(Cacheable { keys, unchanged })
}

/// Whether the caller says that it has what `etag` names.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == etag || tag == "*")
}

/// A key set that verifiers may keep for five minutes.
struct Cacheable {
    keys: Arc<PublishedKeys>,
    unchanged: bool,
}

impl IntoResponse for Cacheable {
    fn into_response(self) -> Response {
        let mut response = if self.unchanged {
            HttpStatus::NOT_MODIFIED.into_response()
        } else {
            ([(CONTENT_TYPE, "application/json")], self.keys.body.clone()).into_response()
        };
        let headers = response.headers_mut();
        let age = HeaderValue::from_static("public, max-age=300");
        headers.insert(CACHE_CONTROL, age);
        if let Ok(etag) = HeaderValue::try_from(&self.keys.etag) {
            headers.insert(ETAG, etag);
        }
        response
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
        let mut responses = <Json<Jwks>>::inferred_responses(context, operation);
        let unchanged = ApiResponse {
            description: "The keys are those of the `ETag` in `If-None-Match`.".to_owned(),
            ..ApiResponse::default()
        };
        responses.push((Some(StatusCode::Code(304)), unchanged));
        responses
    }
}
