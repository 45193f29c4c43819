//! What a user does in a pool: rows and ledger in one transaction.

use super::lock::{self, LockedPool};
use super::{MONTH_RATIO, apy, one, statement};
use crate::error::{from_ledger_to_payer, from_staking};
use contracts::Code;
use contracts::staking::{ClaimReceipt, StakeReceipt, UnstakeReceipt};
use domain::staking::Position;
use domain::{Amount, WalletAddress};
use ledger::account::{self, Account};
use ledger::posting::{self, Posting, TxKind};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr};
use service::{ApiError, clock};
use std::time::Duration;
use uuid::Uuid;

/// Who acts, and in whose pool.
#[derive(Debug, Clone, Copy)]
pub struct Staker {
    /// The user.
    pub uid: Uuid,
    /// The wallet that signed in.
    pub wallet: WalletAddress,
    /// The influencer.
    pub influencer: Uuid,
}

/// Moves `amount` from what `who` has available into the pool.
pub async fn stake(
    tx: &DatabaseTransaction,
    who: Staker,
    amount: Amount,
) -> Result<StakeReceipt, ApiError> {
    let locked = lock_pool(tx, who).await?;
    if !locked.active {
        return Err(ApiError::of(Code::StakePoolNotFound));
    }
    if amount < locked.min_stake {
        let least = locked.min_stake.to_twist_string();
        return Err(
            ApiError::new(Code::StakeBelowMinimum, format!("Stake at least {least}."))
                .with_field("/amount", format!("must be at least {}", locked.min_stake)),
        );
    }
    let position = lock::position(tx, locked.id, who.uid).await?;
    let position = position.map_or_else(Position::default, |locked| locked.position);
    let (pool, position) = locked.pool.stake(position, amount).map_err(from_staking)?;
    let (available, staked) = accounts(who, &locked);
    let done = Done {
        action: "stake",
        kind: TxKind::StakeDeposited,
        move_: (available, staked),
        amount,
    };
    let transaction_id = record(tx, who, &locked, done).await?;
    lock::save_pool(tx, locked.id, &pool, locked.earned).await?;
    save_position(tx, who, &locked, &position, true).await?;
    let sql = format!("SELECT {MONTH_RATIO} AS ratio FROM staking_pools p WHERE p.id = $1");
    let row = one(tx, &sql, [locked.id.into()]).await?;
    let row = row.ok_or_else(|| ApiError::internal(&"a locked pool is gone"))?;
    Ok(StakeReceipt {
        success: true,
        transaction_id,
        pool_address: locked.id,
        new_total_staked: pool.total_staked,
        estimated_apy: apy(&row)?,
    })
}

/// Moves `amount` of what `who` has staked back. What it has earned stays to be claimed.
pub async fn unstake(
    tx: &DatabaseTransaction,
    who: Staker,
    amount: Amount,
) -> Result<UnstakeReceipt, ApiError> {
    let locked = lock_pool(tx, who).await?;
    let of_user = lock::position(tx, locked.id, who.uid).await?;
    let held = of_user.map_or_else(Position::default, |of_user| of_user.position);
    let (pool, position) = locked.pool.unstake(held, amount).map_err(from_staking)?;
    if let Some(wait) = of_user.map(|of_user| of_user.cooling_seconds)
        && wait > 0
    {
        return Err(ApiError::new(
            Code::StakeCoolingDown,
            format!("The stake can be taken back in {wait} seconds."),
        )
        .with_retry_after(Duration::from_secs(wait.into())));
    }
    let (available, staked) = accounts(who, &locked);
    let done = Done {
        action: "unstake",
        kind: TxKind::StakeWithdrawn,
        move_: (staked, available),
        amount,
    };
    let transaction_id = record(tx, who, &locked, done).await?;
    lock::save_pool(tx, locked.id, &pool, locked.earned).await?;
    save_position(tx, who, &locked, &position, false).await?;
    Ok(UnstakeReceipt {
        success: true,
        transaction_id,
        remaining_stake: position.amount,
    })
}

/// Pays `who` what the pool owes, whether or not anything is still staked.
pub async fn claim(tx: &DatabaseTransaction, who: Staker) -> Result<ClaimReceipt, ApiError> {
    let locked = lock_pool(tx, who).await?;
    let Some(of_user) = lock::position(tx, locked.id, who.uid).await? else {
        return Err(ApiError::of(Code::StakeNotFound));
    };
    let held = of_user.position;
    let pending = held.pending(&locked.pool).map_err(from_staking)?;
    if held.amount.is_zero() && pending.is_zero() {
        return Err(ApiError::of(Code::StakeNotFound));
    }
    let (pool, position, paid) = locked.pool.claim(held).map_err(from_staking)?;
    let (available, _) = accounts(who, &locked);
    let done = Done {
        action: "claim",
        kind: TxKind::RewardsClaimed,
        move_: (Account::PoolRewards(locked.id), available),
        amount: paid,
    };
    let transaction_id = record(tx, who, &locked, done).await?;
    lock::save_pool(tx, locked.id, &pool, locked.earned).await?;
    save_position(tx, who, &locked, &position, false).await?;
    Ok(ClaimReceipt {
        success: true,
        transaction_id,
        claimed_amount: paid,
        total_claimed: position.claimed,
    })
}

/// Something that happened.
struct Done {
    action: &'static str,
    kind: TxKind,
    /// Debited, credited.
    move_: (Account, Account),
    amount: Amount,
}

/// Posts it, and writes it into the history.
async fn record(
    tx: &DatabaseTransaction,
    who: Staker,
    locked: &LockedPool,
    done: Done,
) -> Result<Uuid, ApiError> {
    let Done {
        action,
        kind,
        move_,
        amount,
    } = done;
    let event = Uuid::now_v7();
    let posting = Posting::transfer(kind, event.to_string(), clock::now_ms(), move_, amount)
        .map_err(from_ledger_to_payer)?;
    account::open(tx, &[move_.0, move_.1])
        .await
        .map_err(from_ledger_to_payer)?;
    let transaction_id = posting.id().as_uuid();
    posting::post(tx, &[posting])
        .await
        .map_err(from_ledger_to_payer)?;
    let sql = "INSERT INTO stake_events \
                   (id, pool_id, user_id, wallet_address, action, amount, transaction_id) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = [
        event.into(),
        locked.id.into(),
        who.uid.into(),
        who.wallet.to_string().into(),
        action.into(),
        amount.to_i64().into(),
        transaction_id.into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    Ok(transaction_id)
}

async fn lock_pool(tx: &DatabaseTransaction, who: Staker) -> Result<LockedPool, ApiError> {
    lock::pool(tx, who.influencer)
        .await?
        .ok_or_else(|| ApiError::of(Code::StakePoolNotFound))
}

async fn save_position(
    tx: &DatabaseTransaction,
    who: Staker,
    locked: &LockedPool,
    position: &Position,
    grew: bool,
) -> Result<(), DbErr> {
    let wallet = who.wallet.to_string();
    lock::save_position(tx, (locked.id, who.uid, &wallet), position, grew).await
}

/// What the user has available, and has staked in the pool.
const fn accounts(who: Staker, locked: &LockedPool) -> (Account, Account) {
    let staked = Account::UserStaked {
        user: who.uid,
        pool: locked.id,
    };
    (Account::UserAvailable(who.uid), staked)
}
