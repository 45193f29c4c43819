//! Staking pools of influencers: what is staked, earned, found.

use crate::percent::Percent;
use domain::{Amount, WalletAddress};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An amount above zero: digits of base units, the first of them not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PositiveAmount(Amount);

impl PositiveAmount {
    /// The amount.
    pub const fn get(self) -> Amount {
        self.0
    }
}

impl<'de> Deserialize<'de> for PositiveAmount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let amount = Amount::deserialize(deserializer)?;
        if amount.is_zero() {
            Err(serde::de::Error::custom("must be above zero"))
        } else {
            Ok(Self(amount))
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for PositiveAmount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PositiveAmount".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[1-9][0-9]{0,18}$",
            "examples": ["1500000000"],
            "description": "Base units (10^-9 TWIST), 1 to 9223372036854775807."
        })
    }
}

/// The standing of an influencer, by what is staked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Tier {
    /// Less than 1,000 TWIST.
    Bronze,
    /// From 1,000 TWIST.
    Silver,
    /// From 10,000 TWIST.
    Gold,
    /// From 50,000 TWIST.
    Platinum,
}

impl From<domain::staking::Tier> for Tier {
    fn from(tier: domain::staking::Tier) -> Self {
        match tier {
            domain::staking::Tier::Bronze => Self::Bronze,
            domain::staking::Tier::Silver => Self::Silver,
            domain::staking::Tier::Gold => Self::Gold,
            domain::staking::Tier::Platinum => Self::Platinum,
        }
    }
}

/// What a user did in a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum StakeAction {
    /// Staked more.
    Stake,
    /// Took some back.
    Unstake,
    /// Was paid rewards.
    Claim,
}

/// Where the stakes of a pool are going: the last 15 days against the 15 before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum StakingTrend {
    /// Above 110 %.
    Up,
    /// Below 90 %.
    Down,
    /// Neither.
    Stable,
}

impl From<domain::staking::Trend> for StakingTrend {
    fn from(trend: domain::staking::Trend) -> Self {
        match trend {
            domain::staking::Trend::Up => Self::Up,
            domain::staking::Trend::Down => Self::Down,
            domain::staking::Trend::Stable => Self::Stable,
        }
    }
}

/// Declares types of the wire.
macro_rules! wire {
    ($($(#[$doc:meta])* $name:ident $(($refuse:ident))? { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase" $(, $refuse)?)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }
    )*};
}

wire! {
    /// `POST /staking/stake`, `POST /staking/unstake`.
    MoveStake (deny_unknown_fields) {
        /// Whose pool.
        influencer_id: Uuid,
        /// How much.
        amount: PositiveAmount,
    }

    /// `POST /staking/claim`.
    ClaimRewards (deny_unknown_fields) {
        /// Whose pool.
        influencer_id: Uuid,
    }

    /// What a stake is answered.
    StakeReceipt {
        /// Always true.
        success: bool,
        /// The ledger transaction.
        transaction_id: Uuid,
        /// The pool.
        pool_address: Uuid,
        /// What is staked in the pool now.
        new_total_staked: Amount,
        /// The pool's yearly yield, by the last 30 days.
        estimated_apy: Percent,
    }

    /// What an unstake is answered.
    UnstakeReceipt {
        /// Always true.
        success: bool,
        /// The ledger transaction.
        transaction_id: Uuid,
        /// What the caller has left in the pool.
        remaining_stake: Amount,
    }

    /// What a claim is answered.
    ClaimReceipt {
        /// Always true.
        success: bool,
        /// The ledger transaction.
        transaction_id: Uuid,
        /// What was paid.
        claimed_amount: Amount,
        /// All that the caller was ever paid from the pool.
        total_claimed: Amount,
    }

    /// `POST /staking/pools/{influencerId}/deposits`: an earning, brought in from outside.
    DepositRewards (deny_unknown_fields) {
        /// How much, before it is split.
        amount: PositiveAmount,
    }

    /// What a deposit is answered.
    DepositReceipt {
        /// Always true.
        success: bool,
        /// The ledger transaction.
        transaction_id: Uuid,
        /// For the stakers.
        staker_share: Amount,
        /// For the influencer.
        influencer_share: Amount,
        /// The pool's stakers were ever given.
        total_rewards_distributed: Amount,
    }

    /// An influencer.
    InfluencerCard {
        /// The influencer.
        id: Uuid,
        /// Unique, lower case.
        username: String,
        /// For people.
        display_name: String,
        /// A picture's address.
        avatar: Option<String>,
        /// By what is staked now.
        tier: Tier,
        /// A few words.
        bio: Option<String>,
        /// Whether the platform knows who it is.
        verified: bool,
    }

    /// A pool.
    PoolCard {
        /// The pool's id in the ledger.
        address: Uuid,
        /// What is staked.
        total_staked: Amount,
        /// By how many.
        staker_count: u32,
        /// The stakers' part of an earning that is in force: never more than the tier allows.
        revenue_share_percent: Percent,
        /// The least that can be staked at a time.
        min_stake: Amount,
        /// So long after the last stake nothing can be taken back.
        cooldown_seconds: u32,
        /// Whether it takes stakes.
        active: bool,
        /// RFC 3339.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
        created_at: String,
    }

    /// `POST /admin/influencers`: makes a user an influencer, with a pool.
    CreateInfluencer (deny_unknown_fields) {
        /// A wallet of the user.
        user_id: WalletAddress,
        /// 3 to 30 letters, digits or `_`; kept in lower case.
        #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^[A-Za-z0-9_]{3,30}$")))]
        username: String,
        /// 1 to 100 characters, none of them a control character.
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 100), regex(pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")))]
        display_name: String,
        /// An `https` address of visible ASCII characters, up to 500.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(regex(pattern = "^https://[!-~]{1,492}$")))]
        avatar: Option<String>,
        /// Up to 1,000 characters, none of them a control character.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(length(max = 1000), regex(pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")))]
        bio: Option<String>,
        /// Of the new pool.
        #[serde(default)]
        pool: PoolTerms,
    }

    /// A new influencer.
    InfluencerWithPool {
        /// The influencer.
        influencer: InfluencerCard,
        /// The pool.
        pool: PoolCard,
    }

    /// `GET /staking/influencer/{influencerId}`.
    PoolDetails {
        /// The influencer.
        influencer: InfluencerCard,
        /// The pool.
        pool: PoolCard,
        /// The pool in numbers.
        metrics: PoolMetrics,
        /// The ten largest stakes.
        top_stakers: Vec<TopStaker>,
        /// The last twenty things that happened.
        recent_activity: Vec<PoolActivity>,
        /// Thirty UTC days, the oldest first, today last.
        historical_apy: Vec<DailyApy>,
    }

    /// A pool in numbers.
    PoolMetrics {
        /// What is staked.
        total_staked: Amount,
        /// By how many.
        staker_count: u32,
        /// The stakers were ever given.
        total_rewards_distributed: Amount,
        /// Of that, not claimed yet.
        pending_rewards: Amount,
        /// The yearly yield, by the last 30 days.
        apy: Percent,
        /// RFC 3339; null if there was none.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
        last_reward_distribution: Option<String>,
    }

    /// One of the largest stakes.
    TopStaker {
        /// From 1.
        rank: u32,
        /// The first eight characters of the wallet, and `...`.
        user_id: String,
        /// Staked.
        amount: Amount,
        /// Of the largest stake.
        percentage: Percent,
    }

    /// What happened in a pool.
    PoolActivity {
        /// The first eight characters of the wallet, and `...`.
        user_id: String,
        /// What.
        action: StakeAction,
        /// How much.
        amount: Amount,
        /// The ledger transaction.
        transaction_id: Uuid,
        /// RFC 3339.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
        created_at: String,
    }

    /// What a day of staking yielded.
    DailyApy {
        /// The UTC day, `YYYY-MM-DD`.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date")))]
        date: String,
        /// A year of such days, at most 1000 %.
        apy: Percent,
        /// Staked at the end of the day.
        total_staked: Amount,
        /// The stakers were given.
        rewards_distributed: Amount,
        /// In how many distributions.
        distribution_count: u32,
    }

    /// An influencer found by `GET /staking/search`.
    FoundInfluencer {
        /// The influencer.
        id: Uuid,
        /// Unique, lower case.
        username: String,
        /// For people.
        display_name: String,
        /// A picture's address.
        avatar: Option<String>,
        /// By what is staked now.
        tier: Tier,
        /// Whether the platform knows who it is.
        verified: bool,
        /// A few words.
        bio: Option<String>,
        /// The pool.
        pool_address: Uuid,
        /// The pool in numbers.
        metrics: FoundMetrics,
        /// The five newest stakers.
        recent_stakers: Vec<RecentStaker>,
    }

    /// A found pool in numbers.
    FoundMetrics {
        /// What is staked.
        total_staked: Amount,
        /// By how many.
        staker_count: u32,
        /// The stakers' part of an earning that is in force.
        revenue_share_percent: Percent,
        /// The yearly yield, by the last 30 days.
        apy: Percent,
        /// The stakers were ever given.
        total_rewards_distributed: Amount,
        /// Where stakes are going.
        staking_trend: StakingTrend,
    }

    /// Somebody who staked not long ago.
    RecentStaker {
        /// The first eight characters of the wallet, and `...`.
        user_id: String,
        /// Staked now.
        amount: Amount,
        /// RFC 3339.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
        staked_at: String,
    }

    /// One of the stakes of `GET /staking/user/{userId}/stakes`.
    UserStake {
        /// In whose pool.
        influencer: StakedInfluencer,
        /// The stake.
        stake: StakePosition,
        /// The pool.
        pool: StakedPool,
    }

    /// In whose pool a stake is.
    StakedInfluencer {
        /// The influencer.
        id: Uuid,
        /// Unique, lower case.
        username: String,
        /// For people.
        display_name: String,
        /// A picture's address.
        avatar: Option<String>,
        /// By what is staked now.
        tier: Tier,
    }

    /// A stake.
    StakePosition {
        /// Staked now.
        amount: Amount,
        /// Since when anything is, RFC 3339.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
        staked_at: String,
        /// What a claim would pay now.
        pending_rewards: Amount,
        /// What claims have paid.
        total_claimed: Amount,
        /// The pool's yearly yield, by the last 30 days.
        apy: Percent,
    }

    /// The pool of a stake.
    StakedPool {
        /// What is staked.
        total_staked: Amount,
        /// By how many.
        staker_count: u32,
        /// The stakers' part of an earning that is in force.
        revenue_share_percent: Percent,
    }

    /// `GET /staking/user/{userId}/history`, newest first.
    StakeHistoryPage {
        /// At most `limit` entries.
        history: Vec<StakeHistoryEntry>,
        /// Give it back as `cursor` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        next_cursor: Option<String>,
    }

    /// Something that a user did in a pool.
    StakeHistoryEntry {
        /// In whose pool.
        influencer_id: Uuid,
        /// Whose name is.
        username: String,
        /// What.
        action: StakeAction,
        /// How much.
        amount: Amount,
        /// The ledger transaction.
        transaction_id: Uuid,
        /// RFC 3339.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
        created_at: String,
    }
}

/// `PATCH /staking/pools/{influencerId}`: the terms of a pool. What is left out stays as it is, or is the default of a new one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolTerms {
    /// The stakers' part of an earning in basis points, at most what the tier allows and 5000.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::whole::deserialize"
    )]
    #[cfg_attr(feature = "schema", schemars(range(max = 5000)))]
    pub revenue_share_bps: Option<u16>,
    /// The least that can be staked at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_stake: Option<PositiveAmount>,
    /// So long after the last stake nothing can be taken back, at most a year.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::whole::deserialize"
    )]
    #[cfg_attr(feature = "schema", schemars(range(max = 31_536_000)))]
    pub cooldown_seconds: Option<u32>,
    /// Whether it takes stakes and distributions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}
