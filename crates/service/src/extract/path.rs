//! Path parameters.

use crate::ApiError;
use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::FromRequestParts;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use http::request::Parts;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// The path's parameters as `T` (a struct with a field for each, so that the documentation names them);
/// 400 `validation.failed` when one is not valid.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => {
                Err(refused(error.into_kind()))
            }
            Err(error) => Err(ApiError::internal(&error)),
        }
    }
}

fn refused(kind: ErrorKind) -> ApiError {
    match kind {
        // The text is that of our own id types, which never repeat the input.
        ErrorKind::DeserializeError { key, message, .. } => {
            ApiError::invalid(format!("/{key}"), message)
        }
        ErrorKind::ParseErrorAtKey { key, .. } | ErrorKind::InvalidUtf8InPathParam { key } => {
            ApiError::invalid(format!("/{key}"), "is not valid")
        }
        ErrorKind::Message(message) => ApiError::invalid("", message),
        _ => ApiError::invalid("", "is not valid"),
    }
}

impl<T: JsonSchema> OperationInput for Path<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        axum::extract::Path::<T>::operation_input(context, operation);
    }
}
