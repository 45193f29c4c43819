//! Payloads of events: what one part of the platform tells others. `docs/reference/events.md` says how they travel.

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
