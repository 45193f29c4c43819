//! Path parameters.

use super::explain;
use crate::ApiError;
use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// The path's parameters as `T`, a struct with a field for each; 400 `validation.failed` when one is not
/// valid.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let parameters = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::invalid("", "the path is not UTF-8"))?;
        // No name has one, and no database takes them all.
        if let Some((name, _)) = parameters
            .iter()
            .find(|(_, value)| value.contains(char::is_control))
        {
            return Err(ApiError::invalid(
                format!("/{name}"),
                "has a control character",
            ));
        }
        // The form encoding has a deserializer that reads numbers from text and names the field.
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&parameters)
            .finish();
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(form.as_bytes()));
        serde_path_to_error::deserialize(pairs)
            .map(Self)
            .map_err(|error| explain::refused(error.path(), &error.inner().to_string()))
    }
}

impl<T: JsonSchema> OperationInput for Path<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        axum::extract::Path::<T>::operation_input(context, operation);
    }
}
