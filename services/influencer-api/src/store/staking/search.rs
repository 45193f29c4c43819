//! Finding pools. Every filter is part of the query; nothing is kept between two searches.

use super::{MONTH_RATIO, amount, apy, count, moment, share_percent, short_wallet, statement};
use crate::store::values::{bigints, uuids};
use contracts::staking::{FoundInfluencer, FoundMetrics, RecentStaker, StakingTrend};
use domain::Amount;
use domain::staking::{Apy, Tier, Trend};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use std::collections::HashMap;
use uuid::Uuid;

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// The largest pools.
    TotalStaked,
    /// The pools with the most stakers.
    StakerCount,
    /// The largest yields.
    Apy,
    /// The highest tiers, and of each the largest pools.
    Tier,
}

impl SortBy {
    const fn sql(self) -> &'static str {
        match self {
            // A larger pool is never of a lower tier.
            Self::TotalStaked | Self::Tier => "total_staked DESC",
            Self::StakerCount => "staker_count DESC",
            Self::Apy => "ratio DESC",
        }
    }
}

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Search {
    /// Part of the username or the display name, whatever its case; empty for any.
    pub text: String,
    /// What comes first.
    pub sort_by: SortBy,
    /// Staked at least.
    pub min_staked: Amount,
    /// Yields at least.
    pub min_apy: Apy,
    /// Any of these; empty for all.
    pub tiers: Vec<Tier>,
    /// How many.
    pub limit: u8,
    /// How many are left out before.
    pub offset: u32,
}

/// Active pools that fit.
pub async fn search(
    db: &impl ConnectionTrait,
    search: &Search,
) -> Result<Vec<FoundInfluencer>, DbErr> {
    let sql = format!(
        "SELECT * FROM ( \
             SELECT i.id, i.username, i.display_name, i.avatar, i.verified, i.bio, p.id AS pool_id, \
                 p.total_staked, p.staker_count, p.revenue_share_bps, p.distributed, \
                 {MONTH_RATIO} AS ratio \
             FROM staking_pools p JOIN influencers i ON i.id = p.influencer_id \
             WHERE p.active AND p.total_staked >= $2 \
               AND (strpos(i.username, lower($1)) > 0 OR strpos(lower(i.display_name), lower($1)) > 0) \
               AND EXISTS (SELECT FROM unnest($3::bigint[], $4::bigint[]) AS tier (low, high) \
                   WHERE p.total_staked BETWEEN tier.low AND tier.high) \
         ) AS found WHERE ratio >= $5 \
         ORDER BY {}, total_staked DESC, username LIMIT $6 OFFSET $7",
        search.sort_by.sql()
    );
    let ranges: Vec<(i64, i64)> = match search.tiers.as_slice() {
        [] => vec![(0, i64::MAX)],
        tiers => tiers.iter().map(|tier| range(*tier)).collect(),
    };
    let ratio = i64::try_from(search.min_apy.least_month_ratio()).unwrap_or(i64::MAX);
    let values = [
        search.text.clone().into(),
        search.min_staked.to_i64().into(),
        bigints(ranges.iter().map(|(low, _)| *low)),
        bigints(ranges.iter().map(|(_, high)| *high)),
        ratio.into(),
        i64::from(search.limit).into(),
        i64::from(search.offset).into(),
    ];
    let rows = db.query_all_raw(statement(&sql, values)).await?;
    let pools = rows
        .iter()
        .map(|row| row.try_get("", "pool_id"))
        .collect::<Result<Vec<Uuid>, _>>()?;
    let (mut stakers, trends) = (recent_stakers(db, &pools).await?, trends(db, &pools).await?);
    rows.iter()
        .map(|row| {
            let pool_address = row.try_get("", "pool_id")?;
            let trend = trends.get(&pool_address).copied().unwrap_or(Trend::Stable);
            read(
                row,
                pool_address,
                trend.into(),
                stakers.remove(&pool_address).unwrap_or_default(),
            )
        })
        .collect()
}

/// The least and the most that is staked in a pool of `tier`.
fn range(tier: Tier) -> (i64, i64) {
    let next = Tier::ALL.into_iter().find(|other| *other > tier);
    let most = next.map_or(i64::MAX, |next| next.threshold().to_i64() - 1);
    (tier.threshold().to_i64(), most)
}

fn read(
    row: &QueryResult,
    pool_address: Uuid,
    staking_trend: StakingTrend,
    recent_stakers: Vec<RecentStaker>,
) -> Result<FoundInfluencer, DbErr> {
    let total_staked = amount(row, "total_staked")?;
    Ok(FoundInfluencer {
        id: row.try_get("", "id")?,
        username: row.try_get("", "username")?,
        display_name: row.try_get("", "display_name")?,
        avatar: row.try_get("", "avatar")?,
        tier: Tier::of(total_staked).into(),
        verified: row.try_get("", "verified")?,
        bio: row.try_get("", "bio")?,
        pool_address,
        metrics: FoundMetrics {
            total_staked,
            staker_count: count(row, "staker_count")?,
            revenue_share_percent: share_percent(row)?,
            apy: apy(row)?,
            total_rewards_distributed: amount(row, "distributed")?,
            staking_trend,
        },
        recent_stakers,
    })
}

async fn recent_stakers(
    db: &impl ConnectionTrait,
    pools: &[Uuid],
) -> Result<HashMap<Uuid, Vec<RecentStaker>>, DbErr> {
    let sql = "SELECT s.* FROM unnest($1::uuid[]) AS wanted (pool_id), LATERAL ( \
                   SELECT pool_id, wallet_address, amount, staked_at FROM stakes \
                   WHERE stakes.pool_id = wanted.pool_id AND amount > 0 \
                   ORDER BY staked_at DESC, user_id LIMIT 5 \
               ) AS s";
    let values = [uuids(pools.iter().copied())];
    let mut stakers: HashMap<Uuid, Vec<RecentStaker>> = HashMap::new();
    for row in db.query_all_raw(statement(sql, values)).await? {
        stakers
            .entry(row.try_get("", "pool_id")?)
            .or_default()
            .push(RecentStaker {
                user_id: short_wallet(&row)?,
                amount: amount(&row, "amount")?,
                staked_at: moment(&row, "staked_at")?,
            });
    }
    Ok(stakers)
}

async fn trends(db: &impl ConnectionTrait, pools: &[Uuid]) -> Result<HashMap<Uuid, Trend>, DbErr> {
    // More than an amount can be is not more of a trend.
    let sql = "SELECT pool_id, \
                   least(coalesce(sum(amount) FILTER (WHERE created_at > now() - interval '15 days'), 0), \
                       9223372036854775807)::bigint AS last, \
                   least(coalesce(sum(amount) FILTER (WHERE created_at <= now() - interval '15 days'), 0), \
                       9223372036854775807)::bigint AS before \
               FROM stake_events \
               WHERE pool_id = ANY ($1::uuid[]) AND action = 'stake' \
                 AND created_at > now() - interval '30 days' \
               GROUP BY pool_id";
    let values = [uuids(pools.iter().copied())];
    db.query_all_raw(statement(sql, values))
        .await?
        .iter()
        .map(|row| {
            let trend = Trend::of(amount(row, "last")?, amount(row, "before")?);
            Ok((row.try_get("", "pool_id")?, trend))
        })
        .collect()
}
