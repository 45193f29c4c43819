//! Requests signed with a shared secret: the edge, and integrators.

use crate::extract::read_limited;
use crate::{ApiError, clock};
use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::body::Bytes;
use axum::extract::{FromRef, FromRequest, OriginalUri, Request};
use contracts::Code;
use domain::EpochMs;
use domain::http_hmac::{
    HmacError, KEY_ID_HEADER, SIGNATURE_HEADER, SignedRequest, TIMESTAMP_HEADER,
};
use http::HeaderMap;
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Secret;
use crate::extract::DEFAULT_BODY_LIMIT;

/// The name of the scheme in the `OpenAPI` document.
pub const HMAC_SCHEME: &str = "hmac";

/// The active secrets by name. Several at a time, so that one can be replaced without a gap.
#[derive(Debug, Clone, Default)]
pub struct HmacKeys(Arc<BTreeMap<String, Secret>>);

impl HmacKeys {
    /// Takes the keys of a configuration.
    pub fn new(keys: BTreeMap<String, Secret>) -> Self {
        Self(Arc::new(keys))
    }

    fn verify(
        &self,
        key_id: &str,
        request: &SignedRequest<'_>,
        signature: &str,
    ) -> Result<(), ApiError> {
        // An unknown name costs the same work as a wrong signature.
        let known = self.0.get(key_id);
        let secret = known.map_or("", |secret| secret.expose_secret());
        match request.verify(secret.as_bytes(), signature, clock::now_ms()) {
            Ok(()) if known.is_some() && !secret.is_empty() => Ok(()),
            Err(HmacError::Window) if known.is_some() => {
                Err(invalid("X-Timestamp is more than five minutes off."))
            }
            _ => Err(invalid(
                "X-HMAC-Signature is not the signature of this request under X-Key-Id.",
            )),
        }
    }
}

/// A caller who holds a shared secret, with the body that was signed: at most `LIMIT` bytes, exactly as
/// they came.
#[derive(Debug, Clone)]
pub struct SignedCaller<const LIMIT: usize = DEFAULT_BODY_LIMIT> {
    /// Which secret.
    pub key_id: String,
    /// The verified bytes.
    pub body: Bytes,
}

impl<const LIMIT: usize> SignedCaller<LIMIT> {
    /// The body as strict JSON, with the errors of [`crate::extract::Json`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        crate::extract::parse_json(&self.body)
    }
}

impl<S, const LIMIT: usize> FromRequest<S> for SignedCaller<LIMIT>
where
    S: Send + Sync,
    HmacKeys: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        // All that can be refused without reading the body is refused first.
        let key_id = header(&parts.headers, KEY_ID_HEADER)?;
        let signature = header(&parts.headers, SIGNATURE_HEADER)?;
        let timestamp = header(&parts.headers, TIMESTAMP_HEADER)?
            .parse::<u64>()
            .ok()
            .and_then(|ms| EpochMs::new(ms).ok())
            .ok_or_else(|| invalid("X-Timestamp is not milliseconds since 1970."))?;
        if parts.uri.query().is_some() {
            return Err(invalid("A query is not part of what is signed; send none."));
        }
        let body = read_limited(&parts.headers, body, LIMIT).await?;
        let path = parts
            .extensions
            .get::<OriginalUri>()
            .map_or_else(|| parts.uri.path(), |original| original.0.path());
        let signed = SignedRequest {
            method: parts.method.as_str(),
            path,
            timestamp,
            body: &body,
        };
        HmacKeys::from_ref(state).verify(key_id, &signed, signature)?;
        Ok(Self {
            key_id: key_id.to_owned(),
            body,
        })
    }
}

/// The one value of a header; none and several are both refused.
fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, ApiError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value
            .to_str()
            .map_err(|_| invalid("A signature header is not text.")),
        _ => Err(invalid(
            "X-Key-Id, X-Timestamp and X-HMAC-Signature are required, once each.",
        )),
    }
}

fn invalid(detail: &'static str) -> ApiError {
    ApiError::new(Code::AuthHmacInvalid, detail)
}

impl<const LIMIT: usize> OperationInput for SignedCaller<LIMIT> {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        operation
            .security
            .push(std::iter::once((HMAC_SCHEME.to_owned(), Vec::new())).collect());
    }
}
