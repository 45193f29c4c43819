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

/// `GET /me/ledger`, newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LedgerPage {
    /// At most `limit` entries.
    pub entries: Vec<LedgerEntry>,
    /// Give it back as `cursor` for the next page; absent on the last. Entries that are booked meanwhile
    /// neither move nor repeat those of later pages.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}

/// One booked line of a ledger transaction, on an account of the caller. What is only pending is not
/// booked and not listed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LedgerEntry {
    /// The transaction; its other lines may be on accounts of others.
    pub transaction_id: Uuid,
    /// What the transaction is for, e.g. `vau_reward`. New kinds may come.
    pub kind: String,
    /// The kind of account, e.g. `user:available`. New kinds may come.
    pub account: String,
    /// The pool or influencer that the account is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<Uuid>,
    /// The side of the account that was booked.
    pub side: LedgerSide,
    /// What was booked there, base units.
    pub amount: Amount,
    /// What that did to the account's balance, base units: negative when it fell.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^-?[1-9][0-9]{0,18}$")))]
    pub balance_effect: String,
    /// What caused the transaction, e.g. the id of a VAU.
    pub source_ref: String,
    /// The transaction that this one takes back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reverses: Option<Uuid>,
    /// When it took effect, RFC 3339.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub effective_at: String,
    /// When it was booked, RFC 3339.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub recorded_at: String,
}

/// A side of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum LedgerSide {
    /// Raises assets and expenses.
    Debit,
    /// Raises what is owed to users, and income.
    Credit,
}
