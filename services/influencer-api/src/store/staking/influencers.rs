//! Making influencers, and the terms of their pools.

use super::pools::{find, influencer_card, pool_card};
use super::{lock, malformed, one, statement};
use contracts::Code;
use contracts::staking::{InfluencerWithPool, PoolTerms, PositiveAmount};
use domain::staking::{RevenueShare, Tier};
use domain::{Amount, WalletAddress};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction};
use service::ApiError;
use uuid::Uuid;

/// What a pool asks for unless told otherwise.
const MIN_STAKE: Amount = Amount::from_twist(1);

/// An influencer to be.
#[derive(Debug, Clone)]
pub struct NewInfluencer {
    /// A wallet of the user.
    pub wallet: WalletAddress,
    /// In lower case.
    pub username: String,
    /// For people.
    pub display_name: String,
    /// A picture's address.
    pub avatar: Option<String>,
    /// A few words.
    pub bio: Option<String>,
    /// Of the pool.
    pub terms: PoolTerms,
}

/// Makes a user an influencer with a pool.
pub async fn create(
    tx: &DatabaseTransaction,
    new: &NewInfluencer,
) -> Result<InfluencerWithPool, ApiError> {
    let sql = "SELECT user_id FROM wallets WHERE address = $1";
    let row = one(tx, sql, [new.wallet.to_string().into()]).await?;
    let Some(row) = row else {
        let unknown = "Nobody has signed in with this wallet.";
        return Err(ApiError::new(Code::NotFound, unknown).with_field("/userId", unknown));
    };
    let user: Uuid = row.try_get("", "user_id")?;
    // Of two at once, the second waits here.
    let sql = "SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE";
    one(tx, sql, [user.into()]).await?;
    let sql = "SELECT 1 AS n FROM influencers WHERE user_id = $1";
    if one(tx, sql, [user.into()]).await?.is_some() {
        return Err(ApiError::of(Code::InfluencerExists));
    }
    let id = Uuid::now_v7();
    let sql = "INSERT INTO influencers (id, user_id, username, display_name, avatar, bio) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (username) DO NOTHING";
    let values = [
        id.into(),
        user.into(),
        new.username.clone().into(),
        new.display_name.clone().into(),
        new.avatar.clone().into(),
        new.bio.clone().into(),
    ];
    if tx
        .execute_raw(statement(sql, values))
        .await?
        .rows_affected()
        == 0
    {
        return Err(ApiError::of(Code::InfluencerUsernameTaken));
    }
    let share = share(&new.terms, Tier::Bronze, "/pool")?.unwrap_or(RevenueShare::DEFAULT);
    let min_stake = new.terms.min_stake.map_or(MIN_STAKE, PositiveAmount::get);
    let cooldown = i32::try_from(new.terms.cooldown_seconds.unwrap_or(0)).map_err(malformed)?;
    let sql = "INSERT INTO staking_pools \
                   (id, influencer_id, revenue_share_bps, min_stake, cooldown_seconds, active) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let values = [
        Uuid::now_v7().into(),
        id.into(),
        i32::from(share.bps()).into(),
        min_stake.to_i64().into(),
        cooldown.into(),
        new.terms.active.unwrap_or(true).into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    let sql = "UPDATE users SET roles = array_append(roles, 'influencer') \
               WHERE id = $1 AND NOT 'influencer' = ANY (roles)";
    tx.execute_raw(statement(sql, [user.into()])).await?;
    read(tx, id).await
}

/// Changes the terms of the pool of `influencer`.
pub async fn change(
    tx: &DatabaseTransaction,
    influencer: Uuid,
    terms: &PoolTerms,
) -> Result<InfluencerWithPool, ApiError> {
    let Some(locked) = lock::pool(tx, influencer).await? else {
        return Err(ApiError::of(Code::StakePoolNotFound));
    };
    let tier = Tier::of(locked.pool.total_staked);
    let share = share(terms, tier, "")?.unwrap_or(locked.promised);
    let min_stake = terms
        .min_stake
        .map_or(locked.min_stake, PositiveAmount::get);
    let cooldown = terms
        .cooldown_seconds
        .map(i32::try_from)
        .transpose()
        .map_err(malformed)?;
    let sql = "UPDATE staking_pools SET revenue_share_bps = $2, min_stake = $3, \
                   cooldown_seconds = coalesce($4, cooldown_seconds), active = $5, \
                   version = version + 1 \
               WHERE id = $1";
    let values = [
        locked.id.into(),
        i32::from(share.bps()).into(),
        min_stake.to_i64().into(),
        cooldown.into(),
        terms.active.unwrap_or(locked.active).into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    read(tx, influencer).await
}

/// The share that is asked for, if it may be.
fn share(terms: &PoolTerms, tier: Tier, pointer: &str) -> Result<Option<RevenueShare>, ApiError> {
    let Some(bps) = terms.revenue_share_bps else {
        return Ok(None);
    };
    let most = tier.max_revenue_share();
    match RevenueShare::new(bps) {
        Ok(share) if share <= most => Ok(Some(share)),
        _ => Err(ApiError::invalid(
            format!("{pointer}/revenueShareBps"),
            format!(
                "must be at most {} in the tier {}",
                most.bps(),
                tier.as_str()
            ),
        )),
    }
}

async fn read(tx: &DatabaseTransaction, id: Uuid) -> Result<InfluencerWithPool, ApiError> {
    let row = find(tx, id).await?;
    let row = row.ok_or_else(|| ApiError::internal(&"an influencer's pool is gone"))?;
    Ok(InfluencerWithPool {
        influencer: influencer_card(&row)?,
        pool: pool_card(&row)?,
    })
}
