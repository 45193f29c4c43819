//! One pool, with what happened there.

use super::{
    MONTH_RATIO, amount, apy, count, malformed, moment, one, percent, share_percent, short_wallet,
    statement,
};
use contracts::percent::Percent;
use contracts::staking::{
    DailyApy, InfluencerCard, PoolActivity, PoolCard, PoolDetails, PoolMetrics, StakeAction,
    TopStaker,
};
use domain::Amount;
use domain::staking::{Apy, DailyYield, Tier};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use time::OffsetDateTime;
use uuid::Uuid;

/// The influencer `id` and its pool in one row, with the pool's id as `pool_id`.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<QueryResult>, DbErr> {
    let sql = format!(
        "SELECT i.id, i.username, i.display_name, i.avatar, i.bio, i.verified, p.id AS pool_id, \
             p.total_staked, p.staker_count, p.revenue_share_bps, p.min_stake, p.cooldown_seconds, \
             p.active, p.created_at, p.distributed, p.distributed - p.claimed AS pending, \
             {MONTH_RATIO} AS ratio, \
             (SELECT max(d.distributed_at) FROM distributions d WHERE d.pool_id = p.id) AS last_at \
         FROM influencers i JOIN staking_pools p ON p.influencer_id = i.id WHERE i.id = $1"
    );
    one(db, &sql, [id.into()]).await
}

/// The influencer of a row of [`find`].
pub(super) fn influencer_card(row: &QueryResult) -> Result<InfluencerCard, DbErr> {
    Ok(InfluencerCard {
        id: row.try_get("", "id")?,
        username: row.try_get("", "username")?,
        display_name: row.try_get("", "display_name")?,
        avatar: row.try_get("", "avatar")?,
        tier: Tier::of(amount(row, "total_staked")?).into(),
        bio: row.try_get("", "bio")?,
        verified: row.try_get("", "verified")?,
    })
}

/// The pool of a row of [`find`].
pub(super) fn pool_card(row: &QueryResult) -> Result<PoolCard, DbErr> {
    Ok(PoolCard {
        address: row.try_get("", "pool_id")?,
        total_staked: amount(row, "total_staked")?,
        staker_count: count(row, "staker_count")?,
        revenue_share_percent: share_percent(row)?,
        min_stake: amount(row, "min_stake")?,
        cooldown_seconds: count(row, "cooldown_seconds")?,
        active: row.try_get("", "active")?,
        created_at: moment(row, "created_at")?,
    })
}

/// The pool of the influencer `id`, if there is one.
pub async fn details(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<PoolDetails>, DbErr> {
    let Some(row) = find(db, id).await? else {
        return Ok(None);
    };
    let pool: Uuid = row.try_get("", "pool_id")?;
    let last: Option<OffsetDateTime> = row.try_get("", "last_at")?;
    Ok(Some(PoolDetails {
        influencer: influencer_card(&row)?,
        pool: pool_card(&row)?,
        metrics: PoolMetrics {
            total_staked: amount(&row, "total_staked")?,
            staker_count: count(&row, "staker_count")?,
            total_rewards_distributed: amount(&row, "distributed")?,
            pending_rewards: amount(&row, "pending")?,
            apy: apy(&row)?,
            last_reward_distribution: last.map(service::clock::rfc3339),
        },
        top_stakers: top_stakers(db, pool).await?,
        recent_activity: recent_activity(db, pool).await?,
        historical_apy: historical_apy(db, pool).await?,
    }))
}

async fn top_stakers(db: &impl ConnectionTrait, pool: Uuid) -> Result<Vec<TopStaker>, DbErr> {
    let sql = "SELECT wallet_address, amount FROM stakes WHERE pool_id = $1 AND amount > 0 \
               ORDER BY amount DESC, staked_at, user_id LIMIT 10";
    let rows = db.query_all_raw(statement(sql, [pool.into()])).await?;
    let largest = rows
        .first()
        .map_or(Ok(Amount::ZERO), |row| amount(row, "amount"))?;
    rows.iter()
        .zip(1..)
        .map(|(row, rank)| {
            let amount = amount(row, "amount")?;
            let bps = (u128::from(amount.units()) * 10_000)
                .checked_div(largest.units().into())
                .unwrap_or(0);
            Ok(TopStaker {
                rank,
                user_id: short_wallet(row)?,
                amount,
                percentage: Percent::from_bps(u32::try_from(bps).map_err(malformed)?),
            })
        })
        .collect()
}

async fn recent_activity(
    db: &impl ConnectionTrait,
    pool: Uuid,
) -> Result<Vec<PoolActivity>, DbErr> {
    let sql = "SELECT wallet_address, action, amount, transaction_id, created_at \
               FROM stake_events WHERE pool_id = $1 ORDER BY seq DESC LIMIT 20";
    let rows = db.query_all_raw(statement(sql, [pool.into()])).await?;
    rows.iter()
        .map(|row| {
            Ok(PoolActivity {
                user_id: short_wallet(row)?,
                action: action(row)?,
                amount: amount(row, "amount")?,
                transaction_id: row.try_get("", "transaction_id")?,
                created_at: moment(row, "created_at")?,
            })
        })
        .collect()
}

/// What happened in a row of `stake_events`.
pub(super) fn action(row: &QueryResult) -> Result<StakeAction, DbErr> {
    let text: String = row.try_get("", "action")?;
    match text.as_str() {
        "stake" => Ok(StakeAction::Stake),
        "unstake" => Ok(StakeAction::Unstake),
        "claim" => Ok(StakeAction::Claim),
        _ => Err(malformed("a stake event of no known kind")),
    }
}

/// The total at the end of a day is that of now without what was staked and taken back since.
async fn historical_apy(db: &impl ConnectionTrait, pool: Uuid) -> Result<Vec<DailyApy>, DbErr> {
    let sql = "WITH days AS ( \
                   SELECT (now() AT TIME ZONE 'UTC')::date - n AS day FROM generate_series(0, 29) AS n \
               ), paid AS ( \
                   SELECT (distributed_at AT TIME ZONE 'UTC')::date AS day, \
                       sum(staker_share) AS share, count(*) AS times \
                   FROM distributions WHERE pool_id = $1 AND distributed_at > now() - interval '31 days' \
                   GROUP BY 1 \
               ), moved AS ( \
                   SELECT (created_at AT TIME ZONE 'UTC')::date AS day, \
                       sum(CASE action WHEN 'stake' THEN amount WHEN 'unstake' THEN -amount ELSE 0 END) AS net \
                   FROM stake_events WHERE pool_id = $1 AND created_at > now() - interval '31 days' \
                   GROUP BY 1 \
               ) \
               SELECT days.day::text AS day, coalesce(paid.share, 0)::bigint AS share, \
                   coalesce(paid.times, 0)::integer AS times, \
                   ((SELECT total_staked FROM staking_pools WHERE id = $1) \
                       - coalesce(sum(moved.net) OVER (ORDER BY days.day DESC \
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))::bigint AS total \
               FROM days LEFT JOIN paid USING (day) LEFT JOIN moved USING (day) ORDER BY days.day";
    let rows = db.query_all_raw(statement(sql, [pool.into()])).await?;
    rows.iter()
        .map(|row| {
            let day = DailyYield {
                staker_share: amount(row, "share")?,
                total_staked: amount(row, "total")?,
            };
            Ok(DailyApy {
                date: row.try_get("", "day")?,
                apy: percent(Apy::of_day(day)),
                total_staked: day.total_staked,
                rewards_distributed: day.staker_share,
                distribution_count: count(row, "times")?,
            })
        })
        .collect()
}
