//! The caller, as a type in a handler's signature.

use crate::ApiError;
use aide::OperationInput;
use axum::extract::FromRequestParts;
use contracts::Code;
use contracts::token::AccessClaims;
use domain::WalletAddress;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use uuid::Uuid;

/// The name of the bearer scheme in the `OpenAPI` document.
pub const BEARER_SCHEME: &str = "bearer";

/// A signed-in caller. Having one means that the token was verified and its session not known to be over.
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

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = ApiError;

    /// The gate verified the caller before the handler was chosen; a route whose rule needs no token has none.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| ApiError::internal(&"a route without a user asks who calls"))
    }
}

/// The token of the one `Authorization: Bearer` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
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

/// The rule of the route documents that a token is needed.
impl OperationInput for Principal {}
