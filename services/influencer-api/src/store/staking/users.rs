//! What a user has staked, and did.

use super::pools::action;
use super::{MONTH_RATIO, amount, apy, count, moment, one, share_percent, statement, wide};
use crate::store::rewards::Cursor;
use contracts::staking::{
    StakeHistoryEntry, StakePosition, StakedInfluencer, StakedPool, UserStake,
};
use domain::WalletAddress;
use domain::staking::{Pool, Position, Tier};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use uuid::Uuid;

/// The user of `wallet`, and whether `caller` is an admin now.
pub async fn whose(
    db: &impl ConnectionTrait,
    wallet: WalletAddress,
    caller: Uuid,
) -> Result<(Option<Uuid>, bool), DbErr> {
    let sql = "SELECT (SELECT user_id FROM wallets WHERE address = $1) AS owner, \
                   coalesce((SELECT 'admin' = ANY (roles) FROM users WHERE id = $2), false) AS admin";
    let values = [wallet.to_string().into(), caller.into()];
    match one(db, sql, values).await? {
        Some(row) => Ok((row.try_get("", "owner")?, row.try_get("", "admin")?)),
        None => Ok((None, false)),
    }
}

/// What `user` has staked or still has to claim, the largest stake first.
pub async fn stakes(db: &impl ConnectionTrait, user: Uuid) -> Result<Vec<UserStake>, DbErr> {
    let sql = format!(
        "SELECT i.id, i.username, i.display_name, i.avatar, p.total_staked, p.staker_count, \
             p.revenue_share_bps, p.accumulator::text AS accumulator, {MONTH_RATIO} AS ratio, \
             s.amount, s.debt::text AS debt, s.carried::text AS carried, s.total_claimed, s.staked_at \
         FROM stakes s JOIN staking_pools p ON p.id = s.pool_id \
             JOIN influencers i ON i.id = p.influencer_id \
         WHERE s.user_id = $1 ORDER BY s.amount DESC, i.username"
    );
    let rows = db.query_all_raw(statement(&sql, [user.into()])).await?;
    let all = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let is_there =
        |one: &UserStake| !one.stake.amount.is_zero() || !one.stake.pending_rewards.is_zero();
    Ok(all.into_iter().filter(is_there).collect())
}

fn read(row: &QueryResult) -> Result<UserStake, DbErr> {
    let total_staked = amount(row, "total_staked")?;
    let pool = Pool {
        accumulator: wide(row, "accumulator")?,
        total_staked,
        ..Pool::default()
    };
    let position = Position {
        amount: amount(row, "amount")?,
        debt: wide(row, "debt")?,
        carried: wide(row, "carried")?,
        claimed: amount(row, "total_claimed")?,
    };
    Ok(UserStake {
        influencer: StakedInfluencer {
            id: row.try_get("", "id")?,
            username: row.try_get("", "username")?,
            display_name: row.try_get("", "display_name")?,
            avatar: row.try_get("", "avatar")?,
            tier: Tier::of(total_staked).into(),
        },
        stake: StakePosition {
            amount: position.amount,
            staked_at: moment(row, "staked_at")?,
            pending_rewards: position.pending(&pool).map_err(super::malformed)?,
            total_claimed: position.claimed,
            apy: apy(row)?,
        },
        pool: StakedPool {
            total_staked,
            staker_count: count(row, "staker_count")?,
            revenue_share_percent: share_percent(row)?,
        },
    })
}

/// Up to `limit` things that `user` did after `cursor`, newest first, and where to go on.
pub async fn history(
    db: &impl ConnectionTrait,
    user: Uuid,
    cursor: Cursor,
    limit: u8,
) -> Result<(Vec<StakeHistoryEntry>, Option<Cursor>), DbErr> {
    let sql = "SELECT e.seq, p.influencer_id, i.username, e.action, e.amount, e.transaction_id, \
                   e.created_at \
               FROM stake_events e JOIN staking_pools p ON p.id = e.pool_id \
                   JOIN influencers i ON i.id = p.influencer_id \
               WHERE e.user_id = $1 AND e.seq < $2 ORDER BY e.seq DESC LIMIT $3";
    // One more than asked for tells whether there is a next page.
    let values = [
        user.into(),
        cursor.place().into(),
        (i64::from(limit) + 1).into(),
    ];
    let rows = db.query_all_raw(statement(sql, values)).await?;
    let page = rows.iter().take(limit.into());
    let next = match page.clone().last() {
        Some(last) if rows.len() > usize::from(limit) => Some(Cursor::at(last.try_get("", "seq")?)),
        _ => None,
    };
    let entries = page
        .map(|row| {
            Ok(StakeHistoryEntry {
                influencer_id: row.try_get("", "influencer_id")?,
                username: row.try_get("", "username")?,
                action: action(row)?,
                amount: amount(row, "amount")?,
                transaction_id: row.try_get("", "transaction_id")?,
                created_at: moment(row, "created_at")?,
            })
        })
        .collect::<Result<_, DbErr>>()?;
    Ok((entries, next))
}
