//! What operators decide about payouts, and the terms.

use super::{OfPayout, reason_is_good};
use crate::error::from_payouts;
use crate::state::AppState;
use crate::store::payouts::{self, view, view_terms};
use ::payouts::{Actor, LedgerAdapter, PayoutError, settle};
use axum::extract::State;
use axum::http::StatusCode;
use contracts::Code;
use contracts::payout::{Payout, PayoutPolicy, PayoutReason, SetPayoutPolicy};
use contracts::staking::PositiveAmount;
use domain::payout::Policy;
use sea_orm::DatabaseTransaction;
use service::ApiError;
use service::access::{Role, Routes, Rule};
use service::auth::Principal;
use service::extract::{Json, Path};
use service::idempotency::{Answer, KEEP_A_MONTH, RequestKey, once};
use service::limit::RateClass;
use std::future::Future;
use std::pin::Pin;
use uuid::Uuid;

pub(super) fn router() -> Routes<AppState> {
    let rule = Rule::role(Role::Operator, RateClass::Operate).fresh();
    let terms = Rule::role(Role::Admin, RateClass::Operate).fresh();
    Routes::new()
        .post("/payouts/{id}/approve", rule, approve, |op| {
            decision(op.id("approvePayout").summary(
                "Lets a payout be paid that is over the policy's limit; by another person than the payee",
            ))
        })
        .post("/payouts/{id}/reject", rule, reject, |op| {
            decision(op.id("rejectPayout").summary("Turns a payout down and gives its money back"))
        })
        .post("/payouts/{id}/hold", rule, hold, |op| {
            decision(op.id("holdPayout").summary("Keeps a payout back while somebody looks into it"))
        })
        .post("/payouts/{id}/release", rule, release, |op| {
            decision(op.id("releasePayout").summary("Keeps a payout back no longer"))
        })
        .post("/payouts/{id}/process", rule, process, |op| {
            decision(op.id("processPayout").summary("Pays an approved payout now"))
                .response::<501, ApiError>()
        })
        .get("/admin/payout-policy", rule, policy, |op| {
            op.id("getPayoutPolicy")
                .tag("operators")
                .summary("The terms of payouts in force")
                .response::<403, ApiError>()
        })
        .put("/admin/payout-policy", terms, set_policy, |op| {
            op.id("setPayoutPolicy")
                .tag("operators")
                .summary(
                    "Sets the terms of the payouts that are asked for from now on; by a person who is no influencer",
                )
                .response::<200, Json<PayoutPolicy>>()
                .response::<403, ApiError>()
        })
}

/// What all decisions have in common.
fn decision(
    op: aide::transform::TransformOperation<'_>,
) -> aide::transform::TransformOperation<'_> {
    op.tag("operators")
        .response::<200, Json<Payout>>()
        .response::<403, ApiError>()
        .response::<404, ApiError>()
        .response::<409, ApiError>()
}

type Decided<'c> =
    Pin<Box<dyn Future<Output = Result<::payouts::Payout, PayoutError>> + Send + 'c>>;

/// Makes a decision once.
async fn decide<R, F>(
    state: &AppState,
    caller: &Principal,
    key: &RequestKey,
    request: &R,
    decision: F,
) -> Result<Answer<Payout>, ApiError>
where
    R: serde::Serialize,
    F: for<'c> FnOnce(&'c DatabaseTransaction) -> Decided<'c> + Send + 'static,
{
    once(&state.db, caller, Some(key), request, KEEP_A_MONTH, |tx| {
        Box::pin(async move {
            let payout = decision(tx).await.map_err(from_payouts)?;
            Ok((StatusCode::OK, view(payout)?))
        })
    })
    .await
}

async fn approve(
    State(state): State<AppState>,
    caller: Principal,
    key: RequestKey,
    Path(path): Path<OfPayout>,
) -> Result<Answer<Payout>, ApiError> {
    let by = caller.uid;
    decide(&state, &caller, &key, &(), move |tx| {
        Box::pin(::payouts::approve(tx, path.id, by, None))
    })
    .await
}

async fn reject(
    State(state): State<AppState>,
    caller: Principal,
    key: RequestKey,
    Path(path): Path<OfPayout>,
    Json(request): Json<PayoutReason>,
) -> Result<Answer<Payout>, ApiError> {
    reason_is_good(&request.reason)?;
    let (by, reason) = (caller.uid, request.reason.clone());
    decide(&state, &caller, &key, &request, move |tx| {
        Box::pin(async move { ::payouts::reject(tx, path.id, by, &reason).await })
    })
    .await
}

async fn hold(
    State(state): State<AppState>,
    caller: Principal,
    key: RequestKey,
    Path(path): Path<OfPayout>,
    Json(request): Json<PayoutReason>,
) -> Result<Answer<Payout>, ApiError> {
    reason_is_good(&request.reason)?;
    let (by, reason) = (caller.uid, request.reason.clone());
    decide(&state, &caller, &key, &request, move |tx| {
        Box::pin(async move { ::payouts::hold(tx, path.id, by, &reason).await })
    })
    .await
}

async fn release(
    State(state): State<AppState>,
    caller: Principal,
    key: RequestKey,
    Path(path): Path<OfPayout>,
) -> Result<Answer<Payout>, ApiError> {
    let by = caller.uid;
    decide(&state, &caller, &key, &(), move |tx| {
        Box::pin(::payouts::unhold(tx, path.id, by, None))
    })
    .await
}

async fn process(
    State(state): State<AppState>,
    caller: Principal,
    key: RequestKey,
    Path(path): Path<OfPayout>,
) -> Result<Answer<Payout>, ApiError> {
    decide(&state, &caller, &key, &(), move |tx| {
        Box::pin(settle::one_now(tx, &LedgerAdapter, path.id))
    })
    .await
}

async fn policy(State(state): State<AppState>) -> Result<Json<PayoutPolicy>, ApiError> {
    Ok(Json(view_terms(::payouts::current(&state.db).await?)))
}

async fn set_policy(
    State(state): State<AppState>,
    caller: Principal,
    key: Option<RequestKey>,
    Json(request): Json<SetPayoutPolicy>,
) -> Result<Answer<PayoutPolicy>, ApiError> {
    reason_is_good(&request.reason)?;
    let (by, next) = (caller.uid, request.clone());
    once(
        &state.db,
        &caller,
        key.as_ref(),
        &request,
        KEEP_A_MONTH,
        |tx| Box::pin(async move { Ok((StatusCode::OK, append(tx, by, &next).await?)) }),
    )
    .await
}

/// The terms in force with what `next` changes.
async fn append(
    tx: &DatabaseTransaction,
    by: Uuid,
    next: &SetPayoutPolicy,
) -> Result<PayoutPolicy, ApiError> {
    // Or one person could lift the limit, be paid, and put it back.
    if payouts::payee(tx, by).await?.is_some() {
        return Err(ApiError::new(
            Code::PayoutOwnApproval,
            "Who is paid by these terms does not set them.",
        ));
    }
    let change = |now: &Policy| {
        Policy::new(
            next.minimum.map_or(now.minimum(), PositiveAmount::get),
            next.platform_fee_bps.unwrap_or(now.platform_fee_bps()),
            next.processing_fee.unwrap_or(now.processing_fee()),
            next.approval_limit.unwrap_or(now.approval_limit()),
            next.holding_seconds.unwrap_or(now.holding_seconds()),
        )
    };
    let terms = ::payouts::append(tx, change, &Actor::User(by), &next.reason)
        .await
        .map_err(from_payouts)?;
    Ok(view_terms(terms))
}
