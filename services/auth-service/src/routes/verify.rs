//! `POST /auth/verify`.

use super::{nonce_unknown, not_the_message, tokens};
use crate::domain::challenge::{Purpose, expired};
use crate::domain::nonce::Nonce;
use crate::domain::signature::WalletSignature;
use crate::state::AppState;
use crate::store::nonces;
use axum::extract::State;
use contracts::Code;
use contracts::auth::{TokenResponse, VerifyRequest};
use domain::siws::SignInMessage;
use service::ApiError;
use service::access::{Routes, Rule};
use service::extract::Json;
use service::limit::RateClass;
use telemetry::metrics::AUTH_SIGN_IN;
use time::OffsetDateTime;

/// The longest message, a signature and an address, each character escaped.
const BODY_LIMIT: usize = 16 * 1024;
/// What the message of the first system is, before the nonce.
const LEGACY_PREFIX: &str = "TWIST Auth Nonce: ";

pub(super) fn router() -> Routes<AppState> {
    Routes::new().post("/auth/verify", Rule::public(RateClass::SignIn), verify, |op| {
            op.id("verifySignIn")
                .summary("Exchange a signed message for an access token")
                .description(
                    "`message` is the text of `POST /auth/nonce`, unchanged; `signature` is the \
                     wallet's Ed25519 signature of it, base58 or base64. The nonce is used up by the \
                     first attempt, also when that fails.",
                )
                .response::<401, ApiError>()
                .tag("auth")
        },
    )
}

async fn verify(
    State(state): State<AppState>,
    Json(request): Json<VerifyRequest, BODY_LIMIT>,
) -> Result<Json<TokenResponse>, ApiError> {
    let result = sign_in(&state, &request).await;
    let word = match &result {
        Ok(_) => "ok",
        Err(error) => error.code.as_str(),
    };
    metrics::counter!(AUTH_SIGN_IN, "result" => word).increment(1);
    result.map(Json)
}

/// What somebody says they signed.
enum Signed {
    /// A message of this platform.
    Message(Box<SignInMessage>),
    /// The text of the first system, which says nothing but the nonce.
    Legacy,
}

async fn sign_in(state: &AppState, request: &VerifyRequest) -> Result<TokenResponse, ApiError> {
    // The form first: what is not an attempt does not use up a nonce.
    let (signed, nonce) = read(state, request)?;
    let wallet = request.wallet_address;
    let signature = WalletSignature::try_from(request.signature.as_str())
        .map_err(|error| ApiError::invalid("/signature", error.to_string()))?;
    let nonce = Nonce::try_from(nonce.as_str()).map_err(|_| nonce_unknown())?;
    // Asked for now, so that without a database the answer is 503 with the nonce still good.
    let keys = state.keys.current().await?;

    // From here on the nonce is gone, whatever follows: of any number of attempts, one gets past this.
    let given_out = nonces::take(&state.redis, Purpose::SignIn, &nonce)
        .await?
        .ok_or_else(nonce_unknown)?;
    let signed_by_wallet = match signed {
        Signed::Message(message) => {
            if expired(&message, OffsetDateTime::now_utc()) {
                return Err(nonce_unknown());
            }
            if !given_out.is_of(&request.message) {
                return Err(not_the_message());
            }
            signature.holds(&wallet, &request.message, &message.domain)
        }
        Signed::Legacy => {
            if !given_out.is_for(wallet) {
                return Err(not_the_message());
            }
            signature.verifies(&wallet, request.message.as_bytes())
        }
    };
    if !signed_by_wallet {
        return Err(ApiError::new(
            Code::AuthSignatureInvalid,
            "The wallet did not sign this message; ask for a new one.",
        ));
    }

    let grant = state
        .sessions
        .open(wallet)
        .await
        .map_err(say_that_the_nonce_is_gone)?;
    tracing::info!(uid = %grant.session.user, sid = %grant.session.id, "signed in");
    tokens::response(state, &keys, grant)
}

/// What was signed, and its nonce.
fn read(state: &AppState, request: &VerifyRequest) -> Result<(Signed, String), ApiError> {
    if state.legacy_message
        && let Some(nonce) = request.message.strip_prefix(LEGACY_PREFIX)
    {
        return Ok((Signed::Legacy, nonce.to_owned()));
    }
    let message = SignInMessage::parse(&request.message)
        .map_err(|error| ApiError::invalid("/message", error.to_string()))?;
    if message.address == request.wallet_address {
        let nonce = message.nonce.clone();
        Ok((Signed::Message(Box::new(message)), nonce))
    } else {
        Err(ApiError::invalid(
            "/walletAddress",
            "is not the wallet that the message names",
        ))
    }
}

fn say_that_the_nonce_is_gone(mut error: ApiError) -> ApiError {
    if error.code == Code::DependencyUnavailable {
        error.detail = "The sign-in could not be stored; ask for a new nonce.".into();
    }
    error
}
