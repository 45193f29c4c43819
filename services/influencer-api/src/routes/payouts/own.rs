//! What influencers do about their own payouts.

use super::{OfPayout, method_is_there, payee};
use crate::error::from_payouts;
use crate::state::AppState;
use crate::store::payouts::{self, view};
use ::payouts::{Actor, Method, NewPayout};
use axum::extract::State;
use axum::http::StatusCode;
use contracts::Code;
use contracts::payout::{AutoPayout, Payout, PayoutMethod, RequestPayout};
use sea_orm::TransactionTrait as _;
use service::ApiError;
use service::access::{Role, Routes, Rule};
use service::auth::Principal;
use service::extract::{Json, Path};
use service::idempotency::{Answer, KEEP_A_MONTH, RequestKey, once};
use service::limit::RateClass;
use uuid::Uuid;

pub(super) fn router() -> Routes<AppState> {
    let money = Rule::role(Role::Influencer, RateClass::Money).fresh();
    // What sends no money anywhere: also for whoever is no influencer any more.
    let back = Rule::owner(RateClass::Money).fresh();
    let wish = Rule::user(RateClass::Money).fresh();
    Routes::new()
        .post("/payouts/request", money, request, |op| {
            op.id("requestPayout")
                .tag("payouts")
                .summary("Sets money aside for a payout; approved at once up to the policy's limit")
                .response::<201, Json<Payout>>()
                .response::<403, ApiError>()
                .response::<404, ApiError>()
                .response::<409, ApiError>()
                .response::<501, ApiError>()
        })
        .post("/payouts/{id}/cancel", back, cancel, |op| {
            op.id("cancelPayout")
                .tag("payouts")
                .summary("Calls a payout off and gives its money back")
                .response::<200, Json<Payout>>()
                .response::<404, ApiError>()
                .response::<409, ApiError>()
        })
        .put("/payouts/auto", wish, auto, |op| {
            op.id("setAutoPayout")
                .tag("payouts")
                .summary("Says whether all that is payable is paid on day 1 of each month")
                .response::<200, Json<AutoPayout>>()
                .response::<403, ApiError>()
                .response::<404, ApiError>()
                .response::<501, ApiError>()
        })
}

async fn request(
    State(state): State<AppState>,
    caller: Principal,
    key: RequestKey,
    Json(request): Json<RequestPayout>,
) -> Result<Answer<Payout>, ApiError> {
    method_is_there(request.method)?;
    if request.wallet_address.is_some() && request.method != PayoutMethod::Crypto {
        return Err(ApiError::invalid("/walletAddress", "is for `crypto` only"));
    }
    let (amount, method) = (request.amount.get(), Method::from(request.method));
    let wallet_address = request.wallet_address.map(|wallet| wallet.to_string());
    let id = key.effect_id(caller.uid);
    once(
        &state.db,
        &caller.clone(),
        Some(&key),
        &request,
        KEEP_A_MONTH,
        |tx| {
            Box::pin(async move {
                let new = NewPayout {
                    id,
                    payee: payee(tx, &caller).await?,
                    amount,
                    method,
                    wallet_address,
                    due: None,
                };
                let made = ::payouts::request(tx, &new, &Actor::User(caller.uid))
                    .await
                    .map_err(from_payouts)?;
                Ok((StatusCode::CREATED, view(made)?))
            })
        },
    )
    .await
}

async fn cancel(
    State(state): State<AppState>,
    caller: Principal,
    key: RequestKey,
    Path(path): Path<OfPayout>,
) -> Result<Answer<Payout>, ApiError> {
    let by: Uuid = caller.uid;
    once(&state.db, &caller, Some(&key), &(), KEEP_A_MONTH, |tx| {
        Box::pin(async move {
            let payout = ::payouts::cancel(tx, path.id, by)
                .await
                .map_err(from_payouts)?;
            Ok((StatusCode::OK, view(payout)?))
        })
    })
    .await
}

async fn auto(
    State(state): State<AppState>,
    caller: Principal,
    Json(request): Json<AutoPayout>,
) -> Result<Json<AutoPayout>, ApiError> {
    if request.enabled && !payouts::has_role(&state.db, caller.uid, Role::Influencer).await? {
        return Err(ApiError::new(
            Code::PermissionDenied,
            "To be paid each month needs the role `influencer`.",
        ));
    }
    method_is_there(request.method)?;
    let payee = payouts::payee(&state.db, caller.uid)
        .await?
        .ok_or_else(|| ApiError::of(Code::NotFound))?;
    let tx = state.db.begin().await?;
    payouts::set_auto(&tx, payee, request.enabled, request.method).await?;
    tx.commit().await?;
    Ok(Json(request))
}
