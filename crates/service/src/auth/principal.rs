//! The caller, as a type in a handler's signature.

use super::TokenVerifier;
use crate::ApiError;
use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::{FromRef, FromRequestParts};
use contracts::Code;
use contracts::token::AccessClaims;
use domain::WalletAddress;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use uuid::Uuid;

/// The name of the bearer scheme in the `OpenAPI` document.
pub const BEARER_SCHEME: &str = "bearer";

/// A signed-in caller. Having one means that the token was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The user, who may have several wallets: what rows belong to.
    pub uid: Uuid,
    /// The wallet that signed in: the `userId` of bodies.
    pub wallet: WalletAddress,
    /// The session.
    pub session: Uuid,
    /// A hint; the database decides what the caller may do.
    pub roles: Vec<String>,
    /// A hint; the influencer profile, if any.
    pub influencer_id: Option<String>,
}

impl From<AccessClaims> for Principal {
    fn from(claims: AccessClaims) -> Self {
        Self {
            uid: claims.uid,
            wallet: claims.sub,
            session: claims.sid,
            roles: claims.roles,
            influencer_id: claims.influencer_id,
        }
    }
}

impl<S> FromRequestParts<S> for Principal
where
    S: Send + Sync,
    TokenVerifier: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers)?;
        Ok(TokenVerifier::from_ref(state).verify(token).await?)
    }
}

/// The token of the one `Authorization: Bearer` header.
fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(ApiError::new(
            Code::AuthTokenMissing,
            "Send the access token as `Authorization: Bearer …`.",
        ));
    };
    let invalid = || ApiError::of(Code::AuthTokenInvalid);
    if values.next().is_some() {
        return Err(invalid());
    }
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(invalid)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token)
    } else {
        Err(ApiError::new(
            Code::AuthTokenMissing,
            "Send the access token as `Authorization: Bearer …`.",
        ))
    }
}

impl OperationInput for Principal {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        operation
            .security
            .push(std::iter::once((BEARER_SCHEME.to_owned(), Vec::new())).collect());
    }
}
