//! `/auth/wallets`: the wallets of a user, and linking another one.

use super::{limit_wallet, nonce_unknown, not_the_message};
use crate::domain::challenge::{Purpose, expired};
use crate::domain::nonce::Nonce;
use crate::domain::signature::WalletSignature;
use crate::state::AppState;
use crate::store::wallets::Linked;
use crate::store::{nonces, wallets};
use axum::extract::State;
use contracts::Code;
use contracts::auth::{LinkWalletNonceRequest, LinkWalletRequest, NonceResponse, WalletList};
use domain::siws::SignInMessage;
use service::ApiError;
use service::access::{Routes, Rule};
use service::auth::Principal;
use service::extract::Json;
use service::limit::RateClass;
use time::OffsetDateTime;

/// The longest message, two signatures and an address, each character escaped.
const BODY_LIMIT: usize = 16 * 1024;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .get("/auth/wallets", Rule::user(RateClass::Read), list, |op| {
            op.id("listWallets")
                .summary("The user's wallets, oldest first")
                .tag("wallets")
        })
        .post(
            "/auth/wallets/nonce",
            Rule::user(RateClass::Registration),
            nonce,
            |op| {
                op.id("createLinkNonce")
                    .summary("Ask for a message that links another wallet")
                    .description(
                        "The message names both wallets; both sign it byte for byte, and `POST /auth/wallets` takes it \
                         back once, within `ttlSeconds`, from the same user. It cannot sign anyone in.",
                    )
                    .tag("wallets")
            },
        )
        .post(
            "/auth/wallets",
            Rule::user(RateClass::Registration).fresh(),
            link,
            |op| {
                op.id("linkWallet")
                    .summary("Link another wallet to the user")
                    .description(
                        "Afterwards either wallet signs in as the same user. 409 when the wallet belongs to another \
                         user or the user has as many as one may have; a wallet that is linked already stays so.",
                    )
                    .response::<409, ApiError>()
                    .tag("wallets")
            },
        )
}

async fn list(
    State(state): State<AppState>,
    caller: Principal,
) -> Result<Json<WalletList>, ApiError> {
    let wallets = wallets::of_user(&state.database, caller.uid).await?;
    Ok(Json(WalletList { wallets }))
}

async fn nonce(
    State(state): State<AppState>,
    caller: Principal,
    Json(request): Json<LinkWalletNonceRequest, BODY_LIMIT>,
) -> Result<Json<NonceResponse>, ApiError> {
    limit_wallet(&state, request.wallet_address).await?;
    let nonce = Nonce::random().map_err(|error| ApiError::internal(&error))?;
    let now = OffsetDateTime::now_utc();
    let challenge = state.challenger.link(
        (caller.uid, caller.wallet),
        request.wallet_address,
        nonce,
        now,
    );
    nonces::remember(&state.redis, &challenge).await?;
    Ok(Json(challenge.into()))
}

async fn link(
    State(state): State<AppState>,
    caller: Principal,
    Json(request): Json<LinkWalletRequest, BODY_LIMIT>,
) -> Result<Json<WalletList>, ApiError> {
    let message = SignInMessage::parse(&request.message)
        .map_err(|error| ApiError::invalid("/message", error.to_string()))?;
    if message.address != request.wallet_address {
        return Err(ApiError::invalid(
            "/walletAddress",
            "is not the wallet that the message names",
        ));
    }
    let signature = |pointer, text: &str| {
        WalletSignature::try_from(text).map_err(|e| ApiError::invalid(pointer, e.to_string()))
    };
    let new = signature("/signature", &request.signature)?;
    let current = signature("/currentSignature", &request.current_signature)?;
    let nonce = Nonce::try_from(message.nonce.as_str()).map_err(|_| nonce_unknown())?;

    // From here on the nonce is gone, whatever follows.
    let given_out = nonces::take(&state.redis, Purpose::Link(caller.uid), &nonce)
        .await?
        .ok_or_else(nonce_unknown)?;
    if expired(&message, OffsetDateTime::now_utc()) {
        return Err(nonce_unknown());
    }
    if !given_out.is_of(&request.message) {
        return Err(not_the_message());
    }
    let signed = [
        (new, request.wallet_address, "The wallet to link"),
        (current, caller.wallet, "The wallet that is signed in"),
    ];
    for (signature, wallet, who) in signed {
        if !signature.holds(&wallet, &request.message, &message.domain) {
            let detail = format!("{who} did not sign this message; ask for a new one.");
            return Err(ApiError::new(Code::AuthSignatureInvalid, detail));
        }
    }

    let (uid, wallet) = (caller.uid, request.wallet_address);
    match wallets::link(&state.database, uid, wallet).await? {
        Linked::Now => tracing::info!(%uid, "a wallet was linked"),
        Linked::Before => {}
        Linked::ToAnother => return Err(ApiError::of(Code::WalletTaken)),
        Linked::TooMany => return Err(ApiError::of(Code::WalletLimitReached)),
    }
    let wallets = wallets::of_user(&state.database, uid).await?;
    Ok(Json(WalletList { wallets }))
}
