//! What a signed-in wallet reads about itself.

use domain::{Amount, EpochMs, SiteId, VauId, WalletAddress};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `GET /me`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Me {
    /// The user: one person, whatever wallets are linked.
    pub uid: Uuid,
    /// The wallet that signed in; the `userId` of VAUs and other bodies.
    pub user_id: WalletAddress,
    /// The same wallet.
    pub wallet_address: WalletAddress,
    /// Every wallet of the user.
    pub wallets: Vec<WalletAddress>,
    /// What the user may do, by the database.
    pub roles: Vec<String>,
    /// RFC 3339.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub created_at: String,
}

/// `GET /me/balance`: sums over the ledger, in base units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Balance {
    /// `TWIST`.
    pub asset: String,
    /// Decimal places: an amount divided by 10^decimals is in whole TWIST.
    pub decimals: u8,
    /// Can be staked or paid out now.
    pub available: Amount,
    /// When this was read, RFC 3339.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub as_of: String,
}

/// `GET /me/rewards`, newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RewardPage {
    /// At most `limit` rewards.
    pub rewards: Vec<Reward>,
    /// Give it back as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}

/// One credited VAU.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reward {
    /// The VAU.
    pub vau_id: VauId,
    /// Where attention was given.
    pub site_id: SiteId,
    /// What was credited, base units; `0` when the day's emission was used up.
    pub earned: Amount,
    /// The device's trust score when the edge accepted it.
    pub trust_score: u8,
    /// When the edge accepted it, epoch ms.
    pub accepted_at: EpochMs,
    /// The ledger transaction; absent when nothing was credited.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub transaction_id: Option<Uuid>,
}
