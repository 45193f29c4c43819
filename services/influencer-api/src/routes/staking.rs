//! `/staking`: finding pools, and moving one's own money in and out of them.

use crate::state::AppState;
use crate::store::rewards::Cursor;
use crate::store::staking::{self, Search, SortBy, Staker};
use axum::extract::State;
use axum::http::StatusCode;
use contracts::Code;
use contracts::percent::Percent;
use contracts::staking::{
    ClaimReceipt, ClaimRewards, FoundInfluencer, MoveStake, PoolDetails, StakeHistoryPage,
    StakeReceipt, UnstakeReceipt, UserStake,
};
use domain::staking::{Apy, Tier};
use domain::{Amount, WalletAddress};
use schemars::JsonSchema;
use serde::Deserialize;
use service::ApiError;
use service::access::{Routes, Rule};
use service::auth::Principal;
use service::extract::{Json, Path, Query};
use service::idempotency::{Answer, KEEP_A_MONTH, RequestKey, once};
use service::limit::RateClass;
use uuid::Uuid;

/// The routes of this file.
pub(super) fn router() -> Routes<AppState> {
    reads().merge(effects())
}

fn reads() -> Routes<AppState> {
    let (public, own) = (
        Rule::public(RateClass::Read),
        Rule::self_or_admin(RateClass::Read),
    );
    Routes::new()
        .get("/staking/search", public, search, |op| {
            op.id("searchStaking")
                .tag("staking")
                .summary("Active pools that fit")
        })
        .get(
            "/staking/influencer/{influencerId}",
            public,
            details,
            |op| {
                op.id("getStakingPool")
                    .tag("staking")
                    .summary("An influencer's pool")
                    .response::<404, ApiError>()
            },
        )
        .get("/staking/user/{userId}/stakes", own, stakes, |op| {
            op.id("listStakes")
                .tag("staking")
                .summary("What a user has staked or can claim")
                .response::<403, ApiError>()
                .response::<404, ApiError>()
        })
        .get("/staking/user/{userId}/history", own, history, |op| {
            op.id("listStakeHistory")
                .tag("staking")
                .summary("What a user did in pools, newest first")
                .response::<403, ApiError>()
                .response::<404, ApiError>()
        })
}

fn effects() -> Routes<AppState> {
    let money = Rule::user(RateClass::Money).fresh();
    Routes::new()
        .post("/staking/stake", money, stake, |op| {
            op.id("stake")
                .tag("staking")
                .summary("Moves available TWIST into a pool")
                .response::<201, Json<StakeReceipt>>()
                .response::<403, ApiError>()
                .response::<404, ApiError>()
        })
        .post("/staking/unstake", money, unstake, |op| {
            op.id("unstake")
                .tag("staking")
                .summary("Takes staked TWIST back; what was earned stays to be claimed")
                .response::<201, Json<UnstakeReceipt>>()
                .response::<403, ApiError>()
                .response::<404, ApiError>()
                .response::<409, ApiError>()
        })
        .post("/staking/claim", money, claim, |op| {
            op.id("claimStakingRewards")
                .tag("staking")
                .summary("Pays what was earned in a pool")
                .response::<201, Json<ClaimReceipt>>()
                .response::<403, ApiError>()
                .response::<404, ApiError>()
        })
}

/// Whose pool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfInfluencer {
    /// The influencer.
    pub(super) influencer_id: Uuid,
}

/// Whose stakes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OfUser {
    /// A wallet of the user.
    user_id: WalletAddress,
}

/// Orders of search.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Order {
    /// The largest pools first.
    #[default]
    TotalStaked,
    /// The pools with the most stakers first.
    StakerCount,
    /// The largest yields first.
    Apy,
    /// The highest tiers first.
    Tier,
}

/// What is looked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SearchQuery {
    /// Part of the username or display name, up to 100 characters.
    #[schemars(length(max = 100))]
    query: Option<String>,
    /// What comes first.
    #[serde(default)]
    sort_by: Order,
    /// Staked at least, in base units.
    min_staked: Option<Amount>,
    /// Yearly yield at least, in percent, with at most two decimals.
    #[schemars(regex(pattern = r"^[0-9]{1,6}(\.[0-9]{1,2})?$"))]
    min_apy: Option<String>,
    /// Tiers, separated by commas.
    #[schemars(regex(
        pattern = r"^(BRONZE|SILVER|GOLD|PLATINUM)(,(BRONZE|SILVER|GOLD|PLATINUM))*$"
    ))]
    tiers: Option<String>,
    /// At most so many, 1 to 100.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1, max = 100))]
    limit: u8,
    /// So many are left out before, at most 10,000.
    #[serde(default)]
    #[schemars(range(max = 10_000))]
    offset: u32,
}

const fn default_limit() -> u8 {
    20
}

impl SearchQuery {
    fn read(self) -> Result<Search, ApiError> {
        let text = self.query.unwrap_or_default();
        if text.chars().count() > 100 {
            return Err(ApiError::invalid(
                "/query",
                "must be at most 100 characters",
            ));
        }
        let min_apy = match self.min_apy.as_deref().map(Percent::try_from) {
            None => Apy::default(),
            Some(Ok(percent)) if percent.bps() <= Apy::MAX.bps() => Apy::from_bps(percent.bps()),
            Some(Ok(_)) => return Err(ApiError::invalid("/minApy", "must be at most 1000000")),
            Some(Err(error)) => return Err(ApiError::invalid("/minApy", error.to_string())),
        };
        let tiers = match self.tiers.as_deref() {
            None => Vec::new(),
            Some(names) => names
                .split(',')
                .map(Tier::from_text)
                .collect::<Option<_>>()
                .ok_or_else(|| {
                    ApiError::invalid(
                        "/tiers",
                        "must be BRONZE, SILVER, GOLD or PLATINUM, separated by commas",
                    )
                })?,
        };
        limit_is_good(self.limit)?;
        if self.offset > 10_000 {
            return Err(ApiError::invalid("/offset", "must be 0 to 10000"));
        }
        Ok(Search {
            text,
            sort_by: match self.sort_by {
                Order::TotalStaked => SortBy::TotalStaked,
                Order::StakerCount => SortBy::StakerCount,
                Order::Apy => SortBy::Apy,
                Order::Tier => SortBy::Tier,
            },
            min_staked: self.min_staked.unwrap_or_default(),
            min_apy,
            tiers,
            limit: self.limit,
            offset: self.offset,
        })
    }
}

fn limit_is_good(limit: u8) -> Result<(), ApiError> {
    if (1..=100).contains(&limit) {
        Ok(())
    } else {
        Err(ApiError::invalid("/limit", "must be 1 to 100"))
    }
}

async fn search(
    State(state): State<AppState>,
    Query(query): Query<SearchQuery>,
) -> Result<Json<Vec<FoundInfluencer>>, ApiError> {
    let search = query.read()?;
    Ok(Json(staking::search(&state.db, &search).await?))
}

async fn details(
    State(state): State<AppState>,
    Path(path): Path<OfInfluencer>,
) -> Result<Json<PoolDetails>, ApiError> {
    staking::details(&state.db, path.influencer_id)
        .await?
        .map(Json)
        .ok_or_else(|| ApiError::of(Code::StakePoolNotFound))
}

/// The user that a path names, if it is the caller or the caller is an admin.
async fn user_of(state: &AppState, caller: &Principal, path: &OfUser) -> Result<Uuid, ApiError> {
    let (owner, admin) = staking::whose(&state.db, path.user_id, caller.uid).await?;
    match owner {
        Some(owner) if owner == caller.uid || admin => Ok(owner),
        None if admin => Err(ApiError::of(Code::NotFound)),
        _ => Err(ApiError::new(
            Code::PermissionDenied,
            "Only the user itself or an admin may read this.",
        )),
    }
}

async fn stakes(
    State(state): State<AppState>,
    caller: Principal,
    Path(path): Path<OfUser>,
) -> Result<Json<Vec<UserStake>>, ApiError> {
    let user = user_of(&state, &caller, &path).await?;
    Ok(Json(staking::stakes(&state.db, user).await?))
}

/// How much of the list to answer, and from where.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HistoryQuery {
    /// Entries on a page, 1 to 100.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1, max = 100))]
    limit: u8,
    /// `nextCursor` of the page before.
    #[schemars(regex(pattern = r"^[0-9a-z]{1,12}$"))]
    cursor: Option<String>,
}

async fn history(
    State(state): State<AppState>,
    caller: Principal,
    Path(path): Path<OfUser>,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<StakeHistoryPage>, ApiError> {
    limit_is_good(query.limit)?;
    let cursor = match query.cursor.as_deref() {
        None => Cursor::START,
        Some(text) => Cursor::try_from(text)
            .map_err(|_| ApiError::invalid("/cursor", "must be nextCursor of an earlier page"))?,
    };
    let user = user_of(&state, &caller, &path).await?;
    let (history, next) = staking::history(&state.db, user, cursor, query.limit).await?;
    Ok(Json(StakeHistoryPage {
        history,
        next_cursor: next.map(|cursor| cursor.to_string()),
    }))
}

const fn staker(caller: &Principal, influencer: Uuid) -> Staker {
    Staker {
        uid: caller.uid,
        wallet: caller.wallet,
        influencer,
    }
}

async fn stake(
    State(state): State<AppState>,
    caller: Principal,
    key: RequestKey,
    Json(request): Json<MoveStake>,
) -> Result<Answer<StakeReceipt>, ApiError> {
    let (who, amount) = (staker(&caller, request.influencer_id), request.amount.get());
    once(
        &state.db,
        &caller,
        Some(&key),
        &request,
        KEEP_A_MONTH,
        |tx| {
            Box::pin(
                async move { Ok((StatusCode::CREATED, staking::stake(tx, who, amount).await?)) },
            )
        },
    )
    .await
}

async fn unstake(
    State(state): State<AppState>,
    caller: Principal,
    key: RequestKey,
    Json(request): Json<MoveStake>,
) -> Result<Answer<UnstakeReceipt>, ApiError> {
    let (who, amount) = (staker(&caller, request.influencer_id), request.amount.get());
    once(
        &state.db,
        &caller,
        Some(&key),
        &request,
        KEEP_A_MONTH,
        |tx| {
            Box::pin(async move {
                Ok((
                    StatusCode::CREATED,
                    staking::unstake(tx, who, amount).await?,
                ))
            })
        },
    )
    .await
}

async fn claim(
    State(state): State<AppState>,
    caller: Principal,
    key: RequestKey,
    Json(request): Json<ClaimRewards>,
) -> Result<Answer<ClaimReceipt>, ApiError> {
    let who = staker(&caller, request.influencer_id);
    once(
        &state.db,
        &caller,
        Some(&key),
        &request,
        KEEP_A_MONTH,
        |tx| Box::pin(async move { Ok((StatusCode::CREATED, staking::claim(tx, who).await?)) }),
    )
    .await
}
