//! JSON in and out.

use super::{body, explain, strict_json};
use crate::ApiError;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as ApiResponse, StatusCode as ApiStatus};
use aide::{OperationInput, OperationOutput};
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use contracts::Code;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest body of a route that does not say otherwise.
pub const DEFAULT_BODY_LIMIT: usize = 64 * 1024;

/// A JSON body of at most `LIMIT` bytes, or a JSON answer.
///
/// 415 when `Content-Type` is not `application/json`; 413 over the limit; 400 `request.malformed` when
/// it is not JSON, not UTF-8 or has a key twice; 400 `validation.failed` with a pointer when a field is
/// wrong; 400 `request.identity_in_body` when it names the caller and the route takes that from the token.
#[derive(Debug, Clone, Copy)]
pub struct Json<T, const LIMIT: usize = DEFAULT_BODY_LIMIT>(pub T);

impl<T, S, const LIMIT: usize> FromRequest<S> for Json<T, LIMIT>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, request_body) = request.into_parts();
        if !is_json(&parts.headers) {
            return Err(ApiError::new(
                Code::RequestUnsupportedMedia,
                "Send the body as application/json.",
            ));
        }
        let bytes = body::read_limited(&parts.headers, request_body, LIMIT).await?;
        parse(&bytes).map(Self)
    }
}

/// Reads strict JSON from bytes that are already there, with the errors of [`Json`].
pub(crate) fn parse<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, ApiError> {
    strict_json::check(bytes).map_err(|detail| ApiError::new(Code::RequestMalformed, detail))?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| explain::refused(error.path(), &error.inner().to_string()))
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Ok(text) = value.to_str() else {
        return false;
    };
    let mut parts = text.split(';').map(str::trim);
    parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| {
            ["charset=utf-8", "charset=\"utf-8\"", ""]
                .iter()
                .any(|good| parameter.eq_ignore_ascii_case(good))
        })
}

impl<T: Serialize, const LIMIT: usize> IntoResponse for Json<T, LIMIT> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => ([(CONTENT_TYPE, "application/json")], bytes).into_response(),
            Err(error) => ApiError::internal(&error).into_response(),
        }
    }
}

impl<T: JsonSchema, const LIMIT: usize> OperationInput for Json<T, LIMIT> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        axum::Json::<T>::operation_input(context, operation);
    }
}

impl<T: JsonSchema, const LIMIT: usize> OperationOutput for Json<T, LIMIT> {
    type Inner = T;

    fn operation_response(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Option<ApiResponse> {
        axum::Json::<T>::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<ApiStatus>, ApiResponse)> {
        axum::Json::<T>::inferred_responses(context, operation)
    }
}
