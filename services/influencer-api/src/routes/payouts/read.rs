//! Reading about payouts.

use super::{OfPayout, dates, payee};
use crate::state::AppState;
use crate::store::payouts::{self, Filter};
use axum::extract::State;
use contracts::Code;
use contracts::payout::{
    CalculatePayout, Payout, PayoutAnalytics, PayoutBalance, PayoutCalculation, PayoutHistory,
    PayoutPeriod, PayoutStatus,
};
use schemars::JsonSchema;
use serde::Deserialize;
use service::ApiError;
use service::access::{Role, Routes, Rule};
use service::auth::Principal;
use service::extract::{Json, Path, Query};
use service::limit::RateClass;
use uuid::Uuid;

pub(super) fn router() -> Routes<AppState> {
    let influencer = Rule::role(Role::Influencer, RateClass::Read);
    let (user, owner) = (Rule::user(RateClass::Read), Rule::owner(RateClass::Read));
    Routes::new()
        .post("/payouts/calculate", influencer, calculate, |op| {
            op.id("calculatePayout")
                .tag("payouts")
                .summary("What the caller earned in a period, and what a payout of it would leave")
                .response::<200, Json<PayoutCalculation>>()
                .response::<403, ApiError>()
                .response::<404, ApiError>()
        })
        .get("/payouts/balance", influencer, balance, |op| {
            op.id("getPayoutBalance")
                .tag("payouts")
                .summary("What the caller can ask to be paid")
                .response::<404, ApiError>()
        })
        .get("/payouts/history", user, history, |op| {
            op.id("listPayouts")
                .tag("payouts")
                .summary("The caller's payouts, newest first; operators see everybody's")
                .response::<403, ApiError>()
        })
        .get("/payouts/analytics", user, analytics, |op| {
            op.id("analyzePayouts").tag("payouts").summary(
                "The caller's payouts counted by day, week or month; for operators everybody's",
            )
        })
        .get("/payouts/{id}", owner, find, |op| {
            op.id("getPayout")
                .tag("payouts")
                .summary("One of the caller's payouts; for operators any")
                .response::<404, ApiError>()
        })
}

async fn calculate(
    State(state): State<AppState>,
    caller: Principal,
    Json(request): Json<CalculatePayout>,
) -> Result<Json<PayoutCalculation>, ApiError> {
    let span = dates::span(&request.start_date, &request.end_date)?;
    let payee = payee(&state.db, &caller).await?;
    if payee.id != request.influencer_id {
        return Err(ApiError::new(
            Code::PermissionDenied,
            "Only the influencer itself may ask for this.",
        ));
    }
    let terms = ::payouts::current(&state.db).await?;
    Ok(Json(
        payouts::calculate(&state.db, payee, span, &terms).await?,
    ))
}

async fn balance(
    State(state): State<AppState>,
    caller: Principal,
) -> Result<Json<PayoutBalance>, ApiError> {
    let payee = payee(&state.db, &caller).await?;
    Ok(Json(payouts::balance(&state.db, payee).await?))
}

/// Whose payouts the caller may see.
enum Whose {
    /// This influencer's.
    One(Uuid),
    /// Everybody's.
    All,
    /// Nobody's: the caller has none.
    Nobodys,
}

/// The caller's own, or what an operator asks for.
async fn whose(
    state: &AppState,
    caller: &Principal,
    asked: Option<Uuid>,
) -> Result<Whose, ApiError> {
    let own = payouts::payee(&state.db, caller.uid).await?;
    match (own, asked) {
        (Some(own), Some(asked)) if own.id == asked => return Ok(Whose::One(own.id)),
        _ => {}
    }
    if payouts::has_role(&state.db, caller.uid, Role::Operator).await? {
        return Ok(asked.map_or(Whose::All, Whose::One));
    }
    match (own, asked) {
        (_, Some(_)) => Err(ApiError::new(
            Code::PermissionDenied,
            "Only operators may ask for another's payouts.",
        )),
        (Some(own), None) => Ok(Whose::One(own.id)),
        (None, None) => Ok(Whose::Nobodys),
    }
}

/// Which payouts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HistoryQuery {
    /// Of this influencer: the caller's own, or any for operators.
    influencer_id: Option<Uuid>,
    /// In this status.
    status: Option<PayoutStatus>,
    /// Asked for at this moment of RFC 3339 or later, or on this UTC day or later.
    #[schemars(length(min = 10, max = 40))]
    start_date: Option<String>,
    /// Asked for before this moment, or on this UTC day or earlier.
    #[schemars(length(min = 10, max = 40))]
    end_date: Option<String>,
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

async fn history(
    State(state): State<AppState>,
    caller: Principal,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<PayoutHistory>, ApiError> {
    if !(1..=100).contains(&query.limit) {
        return Err(ApiError::invalid("/limit", "must be 1 to 100"));
    }
    if query.offset > 10_000 {
        return Err(ApiError::invalid("/offset", "must be 0 to 10000"));
    }
    let (from, before) = (
        query.start_date.as_deref().map(dates::from).transpose()?,
        query.end_date.as_deref().map(dates::before).transpose()?,
    );
    let influencer = match whose(&state, &caller, query.influencer_id).await? {
        Whose::One(influencer) => Some(influencer),
        Whose::All => None,
        Whose::Nobodys => {
            return Ok(Json(PayoutHistory {
                payouts: Vec::new(),
                total: 0,
                limit: query.limit.into(),
                offset: query.offset,
            }));
        }
    };
    let filter = Filter {
        influencer,
        status: query.status.map(Into::into),
        from,
        before,
        limit: query.limit,
        offset: query.offset,
    };
    Ok(Json(payouts::history(&state.db, &filter).await?))
}

/// Which payouts, and how to count them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AnalyticsQuery {
    /// Asked for at this moment of RFC 3339 or later, or on this UTC day or later.
    #[schemars(length(min = 10, max = 40))]
    start_date: String,
    /// Asked for before this moment, or on this UTC day or earlier.
    #[schemars(length(min = 10, max = 40))]
    end_date: String,
    /// By what length of time.
    #[serde(default)]
    group_by: PayoutPeriod,
}

/// More periods than this are refused.
const MAX_DAYS: i64 = 3_660;

async fn analytics(
    State(state): State<AppState>,
    caller: Principal,
    Query(query): Query<AnalyticsQuery>,
) -> Result<Json<PayoutAnalytics>, ApiError> {
    let span = dates::span(&query.start_date, &query.end_date)?;
    if (span.before - span.from).whole_days() > MAX_DAYS {
        return Err(ApiError::invalid("/endDate", "must be within ten years"));
    }
    let influencer = match whose(&state, &caller, None).await? {
        Whose::One(influencer) => Some(influencer),
        Whose::All => None,
        // An influencer of this id there is not.
        Whose::Nobodys => Some(Uuid::nil()),
    };
    let between = (span.from, span.before);
    Ok(Json(
        payouts::analytics(&state.db, influencer, between, query.group_by).await?,
    ))
}

async fn find(
    State(state): State<AppState>,
    caller: Principal,
    Path(path): Path<OfPayout>,
) -> Result<Json<Payout>, ApiError> {
    let everybodys = payouts::has_role(&state.db, caller.uid, Role::Operator).await?;
    let payee = if everybodys { None } else { Some(caller.uid) };
    payouts::find(&state.db, path.id, payee)
        .await?
        .map(Json)
        .ok_or_else(|| ApiError::of(Code::NotFound))
}
