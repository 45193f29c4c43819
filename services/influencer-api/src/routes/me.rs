//! `/me`: the signed-in user's account.

use crate::state::AppState;
use crate::store::{accounts, rewards};
use axum::extract::State;
use contracts::Code;
use contracts::account::{Balance, Me, RewardPage};
use schemars::JsonSchema;
use serde::Deserialize;
use service::access::{Routes, Rule};
use service::auth::Principal;
use service::extract::{Json, Query};
use service::limit::RateClass;
use service::{ApiError, clock};

/// The routes of this file.
pub(super) fn router() -> Routes<AppState> {
    let rule = Rule::user(RateClass::Read);
    Routes::new()
        .get("/me", rule, me, |op| {
            op.id("getMe")
                .tag("account")
                .summary("The caller")
                .response::<404, ApiError>()
        })
        .get("/me/balance", rule, my_balance, |op| {
            op.id("getMyBalance")
                .tag("account")
                .summary("The caller's balance in the ledger")
        })
        .get("/me/rewards", rule, my_rewards, |op| {
            op.id("listMyRewards")
                .tag("account")
                .summary("The caller's credited VAUs, newest first")
        })
}

async fn me(State(state): State<AppState>, caller: Principal) -> Result<Json<Me>, ApiError> {
    let user = accounts::find(&state.reads, caller.uid)
        .await?
        .ok_or_else(|| ApiError::of(Code::NotFound))?;
    Ok(Json(Me {
        uid: caller.uid,
        user_id: caller.wallet,
        wallet_address: caller.wallet,
        wallets: user.wallets,
        roles: user.roles,
        created_at: clock::rfc3339(user.created_at),
    }))
}

async fn my_balance(
    State(state): State<AppState>,
    caller: Principal,
) -> Result<Json<Balance>, ApiError> {
    let available = accounts::available(&state.reads, caller.uid).await?;
    Ok(Json(Balance {
        asset: "TWIST".to_owned(),
        decimals: domain::money::DECIMALS,
        available,
        as_of: clock::now_rfc3339(),
    }))
}

/// How much of the list to answer, and from where.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RewardQuery {
    /// Rewards on a page, 1 to 100.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1, max = 100))]
    limit: u8,
    /// `nextCursor` of the page before.
    #[schemars(regex(pattern = r"^[0-9a-z]{1,12}$"))]
    cursor: Option<String>,
}

const fn default_limit() -> u8 {
    20
}

async fn my_rewards(
    State(state): State<AppState>,
    caller: Principal,
    Query(query): Query<RewardQuery>,
) -> Result<Json<RewardPage>, ApiError> {
    if !(1..=100).contains(&query.limit) {
        return Err(ApiError::invalid("/limit", "must be 1 to 100"));
    }
    let cursor = match query.cursor.as_deref() {
        None => rewards::Cursor::START,
        Some(text) => rewards::Cursor::try_from(text)
            .map_err(|_| ApiError::invalid("/cursor", "must be nextCursor of an earlier page"))?,
    };
    let (rewards, next) = rewards::page(&state.db, caller.uid, cursor, query.limit).await?;
    Ok(Json(RewardPage {
        rewards,
        next_cursor: next.map(|cursor| cursor.to_string()),
    }))
}
