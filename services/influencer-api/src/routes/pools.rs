//! What operators do with pools: making them, changing their terms, bringing earnings in.

use super::staking::OfInfluencer;
use crate::state::AppState;
use crate::store::staking::{self, Earning, NewInfluencer, Source};
use axum::extract::State;
use axum::http::StatusCode;
use contracts::staking::{
    CreateInfluencer, DepositReceipt, DepositRewards, InfluencerWithPool, PoolTerms,
};
use ledger::account::Account;
use service::ApiError;
use service::access::{Role, Routes, Rule};
use service::auth::Principal;
use service::extract::{Json, Path};
use service::idempotency::{Answer, KEEP_A_MONTH, RequestKey, once};
use service::limit::RateClass;
use uuid::Uuid;

/// The longest cooldown: a year.
const MAX_COOLDOWN_SECONDS: u32 = 31_536_000;

/// The routes of this file.
pub(super) fn router() -> Routes<AppState> {
    let rule = Rule::role(Role::Operator, RateClass::Operate).fresh();
    Routes::new()
        .post("/admin/influencers", rule, create, |op| {
            op.id("createInfluencer")
                .tag("operators")
                .summary("Makes a user an influencer with a staking pool")
                .response::<201, Json<InfluencerWithPool>>()
                .response::<403, ApiError>()
                .response::<404, ApiError>()
                .response::<409, ApiError>()
        })
        .patch("/staking/pools/{influencerId}", rule, change, |op| {
            op.id("changeStakingPool")
                .tag("operators")
                .summary("Changes the terms of a pool")
                .response::<200, Json<InfluencerWithPool>>()
                .response::<403, ApiError>()
                .response::<404, ApiError>()
        })
        .post(
            "/staking/pools/{influencerId}/deposits",
            rule,
            deposit,
            |op| {
                op.id("depositStakingRewards")
                    .tag("operators")
                    .summary("Brings an earning in from outside and distributes it")
                    .response::<201, Json<DepositReceipt>>()
                    .response::<403, ApiError>()
                    .response::<404, ApiError>()
                    .response::<409, ApiError>()
            },
        )
}

async fn create(
    State(state): State<AppState>,
    caller: Principal,
    key: Option<RequestKey>,
    Json(request): Json<CreateInfluencer>,
) -> Result<Answer<InfluencerWithPool>, ApiError> {
    terms_are_good(&request.pool, "/pool")?;
    let new = read(&request)?;
    once(
        &state.db,
        &caller,
        key.as_ref(),
        &request,
        KEEP_A_MONTH,
        |tx| Box::pin(async move { Ok((StatusCode::CREATED, staking::create(tx, &new).await?)) }),
    )
    .await
}

fn read(request: &CreateInfluencer) -> Result<NewInfluencer, ApiError> {
    let name = &request.username;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !(3..=30).contains(&name.len()) || !name.bytes().all(is_name) {
        return Err(ApiError::invalid(
            "/username",
            "must be 3 to 30 letters, digits or `_`",
        ));
    }
    text_is_good("/displayName", &request.display_name, 1, 100)?;
    if let Some(bio) = &request.bio {
        text_is_good("/bio", bio, 0, 1_000)?;
    }
    if let Some(avatar) = &request.avatar {
        let rest = avatar.strip_prefix("https://").unwrap_or_default();
        if rest.is_empty() || avatar.len() > 500 || !rest.bytes().all(|b| b.is_ascii_graphic()) {
            let message = "must be https:// and up to 492 visible ASCII characters";
            return Err(ApiError::invalid("/avatar", message));
        }
    }
    Ok(NewInfluencer {
        wallet: request.user_id,
        username: name.to_ascii_lowercase(),
        display_name: request.display_name.clone(),
        avatar: request.avatar.clone(),
        bio: request.bio.clone(),
        terms: request.pool.clone(),
    })
}

fn text_is_good(pointer: &str, text: &str, least: usize, most: usize) -> Result<(), ApiError> {
    if text.chars().any(char::is_control) || !(least..=most).contains(&text.chars().count()) {
        let message =
            format!("must be {least} to {most} characters, none of them a control character");
        return Err(ApiError::invalid(pointer, message));
    }
    Ok(())
}

/// All but the revenue share, which depends on the tier.
fn terms_are_good(terms: &PoolTerms, pointer: &str) -> Result<(), ApiError> {
    if terms
        .cooldown_seconds
        .is_some_and(|wait| wait > MAX_COOLDOWN_SECONDS)
    {
        return Err(ApiError::invalid(
            format!("{pointer}/cooldownSeconds"),
            format!("must be at most {MAX_COOLDOWN_SECONDS}"),
        ));
    }
    Ok(())
}

async fn change(
    State(state): State<AppState>,
    caller: Principal,
    key: Option<RequestKey>,
    Path(path): Path<OfInfluencer>,
    Json(terms): Json<PoolTerms>,
) -> Result<Answer<InfluencerWithPool>, ApiError> {
    terms_are_good(&terms, "")?;
    let influencer = path.influencer_id;
    once(
        &state.db,
        &caller,
        key.as_ref(),
        &terms,
        KEEP_A_MONTH,
        |tx| {
            let terms = terms.clone();
            Box::pin(async move {
                let changed = staking::change(tx, influencer, &terms).await?;
                Ok((StatusCode::OK, changed))
            })
        },
    )
    .await
}

async fn deposit(
    State(state): State<AppState>,
    caller: Principal,
    key: RequestKey,
    Path(path): Path<OfInfluencer>,
    Json(request): Json<DepositRewards>,
) -> Result<Answer<DepositReceipt>, ApiError> {
    let (influencer, amount) = (path.influencer_id, request.amount.get());
    once(
        &state.db,
        &caller,
        Some(&key),
        &request,
        KEEP_A_MONTH,
        |tx| {
            Box::pin(async move {
                let source_ref = Uuid::now_v7().to_string();
                let earning = Earning {
                    source: Source::Deposit,
                    source_ref: &source_ref,
                    amount,
                    from: Account::ExternalWorld,
                };
                let made = staking::distribute(tx, influencer, &earning).await?;
                let receipt = DepositReceipt {
                    success: true,
                    transaction_id: made.transaction_id,
                    staker_share: made.staker_share,
                    influencer_share: made.influencer_share,
                    total_rewards_distributed: made.distributed,
                };
                Ok((StatusCode::CREATED, receipt))
            })
        },
    )
    .await
}
