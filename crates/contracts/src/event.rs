//! Payloads of events: what one part of the platform tells others. `docs/reference/events.md` says how they travel.

use crate::payout::{PayoutMethod, PayoutState};
use crate::staking::Tier;
use domain::Amount;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `twist.staking.tier_changed.v1`: what is staked with an influencer has reached or left a threshold. About
/// `influencer:<influencerId>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TierChanged {
    /// Whose.
    pub influencer_id: Uuid,
    /// The tier that was told before; `BRONZE` if none was.
    pub from: Tier,
    /// The tier now.
    pub to: Tier,
    /// What was staked when it was noticed.
    pub total_staked: Amount,
}

/// What the topics `twist.payouts.*` say. About `payout:<payoutId>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PayoutFact {
    /// The payout.
    pub payout_id: Uuid,
    /// Whose earnings.
    pub influencer_id: Uuid,
    /// Where it is now.
    pub state: PayoutState,
    /// Counts its changes, from 1.
    pub version: i64,
    /// How it is paid.
    pub method: PayoutMethod,
    /// What leaves the payable balance.
    pub amount: Amount,
    /// The platform's part.
    pub platform_fee: Amount,
    /// What each payout costs.
    pub processing_fee: Amount,
    /// What arrives.
    pub net_amount: Amount,
    /// The ledger transaction that paid it; null until it is paid.
    pub transaction_id: Option<Uuid>,
    /// Why it was turned down or failed; null if it was not.
    pub reason: Option<String>,
}

/// Declares facts that have one payload.
macro_rules! payout_facts {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub PayoutFact);
    )*};
}

payout_facts! {
    /// `twist.payouts.requested.v1`: a payout was asked for, and its money is set aside.
    PayoutRequested,
    /// `twist.payouts.approved.v1`: a payout may be paid.
    PayoutApproved,
    /// `twist.payouts.finalized.v1`: a payout was paid.
    PayoutFinalized,
    /// `twist.payouts.cancelled.v1`: a payout was called off by the payee.
    PayoutCancelled,
    /// `twist.payouts.rejected.v1`: a payout was turned down.
    PayoutRejected,
    /// `twist.payouts.failed.v1`: a payout could not be paid, and no money moved.
    PayoutFailed,
}
