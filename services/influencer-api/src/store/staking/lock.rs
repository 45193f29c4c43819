//! The rows that an effect changes, locked in one order: the pool, then the position.

use super::{MONTH_RATIO, amount, count, malformed, one, statement, wide};
use domain::Amount;
use domain::staking::{Pool, Position, RevenueShare};
use ledger::account::Influencer;
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr, QueryResult, Value};
use uuid::Uuid;

/// A pool that nobody else changes until the transaction ends.
#[derive(Debug, Clone)]
pub(super) struct LockedPool {
    pub(super) id: Uuid,
    pub(super) influencer: Influencer,
    pub(super) promised: RevenueShare,
    pub(super) min_stake: Amount,
    pub(super) active: bool,
    pub(super) earned: Amount,
    pub(super) pool: Pool,
}

/// A position that nobody else changes until the transaction ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct LockedPosition {
    pub(super) position: Position,
    /// Until when nothing can be taken back, in whole seconds from now; 0 when it can.
    pub(super) cooling_seconds: u32,
}

/// Locks the pool of `influencer`.
pub(super) async fn pool(
    tx: &DatabaseTransaction,
    influencer: Uuid,
) -> Result<Option<LockedPool>, DbErr> {
    let sql = "SELECT p.id, i.user_id, p.revenue_share_bps, p.min_stake, p.active, p.earned, \
                   p.accumulator::text AS accumulator, p.ahead::text AS ahead, \
                   p.total_staked, p.staker_count, p.distributed, p.claimed \
               FROM staking_pools p JOIN influencers i ON i.id = p.influencer_id \
               WHERE p.influencer_id = $1 FOR NO KEY UPDATE OF p";
    let Some(row) = one(tx, sql, [influencer.into()]).await? else {
        return Ok(None);
    };
    let bps: i32 = row.try_get("", "revenue_share_bps")?;
    Ok(Some(LockedPool {
        id: row.try_get("", "id")?,
        influencer: Influencer {
            user: row.try_get("", "user_id")?,
            id: influencer,
        },
        promised: RevenueShare::try_from(bps).map_err(malformed)?,
        min_stake: amount(&row, "min_stake")?,
        active: row.try_get("", "active")?,
        earned: amount(&row, "earned")?,
        pool: Pool {
            accumulator: wide(&row, "accumulator")?,
            ahead: wide(&row, "ahead")?,
            total_staked: amount(&row, "total_staked")?,
            staker_count: count(&row, "staker_count")?,
            distributed: amount(&row, "distributed")?,
            claimed: amount(&row, "claimed")?,
        },
    }))
}

/// Locks what `user` has in the pool `id`, if the user ever staked there.
pub(super) async fn position(
    tx: &DatabaseTransaction,
    id: Uuid,
    user: Uuid,
) -> Result<Option<LockedPosition>, DbErr> {
    let sql = "SELECT s.amount, s.debt::text AS debt, s.carried::text AS carried, s.total_claimed, \
                   greatest(0, ceil(extract(epoch FROM s.last_staked_at \
                       + make_interval(secs => p.cooldown_seconds) - now())))::integer AS cooling \
               FROM stakes s JOIN staking_pools p ON p.id = s.pool_id \
               WHERE s.pool_id = $1 AND s.user_id = $2 FOR NO KEY UPDATE OF s";
    let Some(row) = one(tx, sql, [id.into(), user.into()]).await? else {
        return Ok(None);
    };
    Ok(Some(LockedPosition {
        position: Position {
            amount: amount(&row, "amount")?,
            debt: wide(&row, "debt")?,
            carried: wide(&row, "carried")?,
            claimed: amount(&row, "total_claimed")?,
        },
        cooling_seconds: count(&row, "cooling")?,
    }))
}

/// Writes a pool; as [`pool_values`] has it.
const SAVE_POOL: &str = "UPDATE staking_pools p SET accumulator = $2::text::numeric, \
         ahead = $3::text::numeric, total_staked = $4, staker_count = $5, \
         distributed = $6, claimed = $7, earned = $8, version = version + 1 \
     WHERE p.id = $1";

fn pool_values(id: Uuid, pool: &Pool, earned: Amount) -> Result<Vec<Value>, DbErr> {
    let stakers = i32::try_from(pool.staker_count).map_err(malformed)?;
    Ok(vec![
        id.into(),
        pool.accumulator.to_string().into(),
        pool.ahead.to_string().into(),
        pool.total_staked.to_i64().into(),
        stakers.into(),
        pool.distributed.to_i64().into(),
        pool.claimed.to_i64().into(),
        earned.to_i64().into(),
    ])
}

/// Writes what has become of the pool `id`.
pub(super) async fn save_pool(
    tx: &DatabaseTransaction,
    id: Uuid,
    pool: &Pool,
    earned: Amount,
) -> Result<(), DbErr> {
    let values = pool_values(id, pool, earned)?;
    tx.execute_raw(statement(SAVE_POOL, values))
        .await
        .map(|_| ())
}

/// What a user did in a pool, and what became of both.
pub(super) struct Outcome<'a> {
    pub(super) event: Uuid,
    pub(super) action: &'static str,
    pub(super) amount: Amount,
    pub(super) transaction_id: Uuid,
    pub(super) user: Uuid,
    /// That acted.
    pub(super) wallet: &'a str,
    pub(super) pool: &'a Pool,
    pub(super) position: &'a Position,
}

/// Writes the locked pool, the position and the event, and answers with the pool's [`MONTH_RATIO`] as `ratio`. One
/// statement: all who act in the pool wait until it is written.
pub(super) async fn save(
    tx: &DatabaseTransaction,
    locked: &LockedPool,
    outcome: &Outcome<'_>,
) -> Result<QueryResult, DbErr> {
    let sql = format!(
        "WITH pool AS ({SAVE_POOL} RETURNING {MONTH_RATIO} AS ratio), \
         position AS ( \
             INSERT INTO stakes AS s \
                 (pool_id, user_id, wallet_address, amount, debt, carried, total_claimed) \
             VALUES ($1, $9, $10, $11, $12::text::numeric, $13::text::numeric, $14) \
             ON CONFLICT (pool_id, user_id) DO UPDATE SET \
                 wallet_address = excluded.wallet_address, amount = excluded.amount, \
                 debt = excluded.debt, carried = excluded.carried, \
                 total_claimed = excluded.total_claimed, version = s.version + 1, \
                 staked_at = CASE WHEN s.amount = 0 AND excluded.amount > 0 \
                     THEN now() ELSE s.staked_at END, \
                 last_staked_at = CASE WHEN excluded.amount > s.amount \
                     THEN now() ELSE s.last_staked_at END \
         ), event AS ( \
             INSERT INTO stake_events \
                 (id, pool_id, user_id, wallet_address, action, amount, transaction_id) \
             VALUES ($15, $1, $9, $10, $16, $17, $18) \
         ) \
         SELECT ratio FROM pool"
    );
    let mut values = pool_values(locked.id, outcome.pool, locked.earned)?;
    values.extend::<[Value; 10]>([
        outcome.user.into(),
        outcome.wallet.into(),
        outcome.position.amount.to_i64().into(),
        outcome.position.debt.to_string().into(),
        outcome.position.carried.to_string().into(),
        outcome.position.claimed.to_i64().into(),
        outcome.event.into(),
        outcome.action.into(),
        outcome.amount.to_i64().into(),
        outcome.transaction_id.into(),
    ]);
    let row = one(tx, &sql, values).await?;
    row.ok_or_else(|| malformed("a locked pool is gone"))
}
