//! `/me/ledger`: what was booked on the signed-in user's accounts.

use crate::state::AppState;
use crate::store::entries::{self, Cursor};
use axum::extract::State;
use contracts::account::LedgerPage;
use schemars::JsonSchema;
use serde::Deserialize;
use service::ApiError;
use service::access::{Routes, Rule};
use service::auth::Principal;
use service::extract::{Json, Query};
use service::limit::RateClass;

/// The routes of this file.
pub(super) fn router() -> Routes<AppState> {
    Routes::new().get("/me/ledger", Rule::user(RateClass::Read), my_ledger, |op| {
        op.id("listMyLedger")
            .tag("account")
            .summary("The entries of the caller's ledger accounts, newest first")
    })
}

/// How much of the list to answer, and from where.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LedgerQuery {
    /// Entries on a page, 1 to 100.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1, max = 100))]
    limit: u8,
    /// `nextCursor` of the page before.
    #[schemars(regex(pattern = r"^(0|[1-9a-f][0-9a-f]{0,14})\.(0|[1-9a-f][0-9a-f]{0,6})$"))]
    cursor: Option<String>,
}

const fn default_limit() -> u8 {
    20
}

async fn my_ledger(
    State(state): State<AppState>,
    caller: Principal,
    Query(query): Query<LedgerQuery>,
) -> Result<Json<LedgerPage>, ApiError> {
    if !(1..=100).contains(&query.limit) {
        return Err(ApiError::invalid("/limit", "must be 1 to 100"));
    }
    let cursor = match query.cursor.as_deref() {
        None => Cursor::START,
        Some(text) => Cursor::try_from(text)
            .map_err(|_| ApiError::invalid("/cursor", "must be nextCursor of an earlier page"))?,
    };
    let (entries, next) = entries::page(&state.db, caller.uid, cursor, query.limit).await?;
    Ok(Json(LedgerPage {
        entries,
        next_cursor: next.map(|cursor| cursor.to_string()),
    }))
}
