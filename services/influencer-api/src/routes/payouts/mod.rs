//! `/payouts`: what was earned, and getting it paid.

mod dates;
mod decide;
mod own;
mod read;

use crate::state::AppState;
use crate::store::payouts;
use ::payouts::{LedgerAdapter, Method, Payee, SettlementAdapter as _};
use contracts::Code;
use contracts::payout::PayoutMethod;
use schemars::JsonSchema;
use sea_orm::ConnectionTrait;
use serde::Deserialize;
use service::ApiError;
use service::access::Routes;
use service::auth::Principal;
use uuid::Uuid;

/// The routes of these files.
pub(super) fn router() -> Routes<AppState> {
    read::router().merge(own::router()).merge(decide::router())
}

/// Which payout.
#[derive(Debug, Deserialize, JsonSchema)]
struct OfPayout {
    /// The payout.
    id: Uuid,
}

/// The influencer that the caller is.
async fn payee(db: &impl ConnectionTrait, caller: &Principal) -> Result<Payee, ApiError> {
    payouts::payee(db, caller.uid)
        .await?
        .ok_or_else(|| ApiError::new(Code::NotFound, "The caller has no influencer profile."))
}

/// Refuses what nothing here pays by.
fn method_is_there(method: PayoutMethod) -> Result<(), ApiError> {
    if LedgerAdapter.methods().contains(&Method::from(method)) {
        Ok(())
    } else {
        Err(ApiError::new(
            Code::PayoutMethodUnavailable,
            "Payouts by this method are not available here; use `ledger`.",
        ))
    }
}

/// A reason as it is kept.
fn reason_is_good(reason: &str) -> Result<(), ApiError> {
    if reason.chars().any(char::is_control) || !(1..=500).contains(&reason.chars().count()) {
        let message = "must be 1 to 500 characters, none of them a control character";
        return Err(ApiError::invalid("/reason", message));
    }
    Ok(())
}
