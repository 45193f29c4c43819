//! What a user does in a pool: rows and ledger in one transaction.

use super::apy;
use super::lock::{self, LockedPool, Outcome};
use crate::error::{from_ledger_to_payer, from_staking};
use contracts::Code;
use contracts::staking::{ClaimReceipt, StakeReceipt, UnstakeReceipt};
use domain::staking::{Pool, Position};
use domain::{Amount, WalletAddress};
use ledger::account::{self, Account};
use ledger::posting::{self, Posting, TxKind};
use sea_orm::{DatabaseTransaction, QueryResult};
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
    let before = lock::position(tx, locked.id, who.uid).await?;
    let held = before.map_or_else(Position::default, |locked| locked.position);
    let (pool, position) = locked.pool.stake(held, amount).map_err(from_staking)?;
    let (available, staked) = accounts(who, &locked);
    if before.is_none() {
        // Whoever has a position has the accounts, so only the first stake takes the time.
        account::open(tx, &[available, staked])
            .await
            .map_err(from_ledger_to_payer)?;
    }
    let done = Done {
        action: "stake",
        kind: TxKind::StakeDeposited,
        move_: (available, staked),
        amount,
        pool,
        position,
    };
    let (transaction_id, saved) = record(tx, who, &locked, done).await?;
    Ok(StakeReceipt {
        success: true,
        transaction_id,
        pool_address: locked.id,
        new_total_staked: pool.total_staked,
        estimated_apy: apy(&saved)?,
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
        pool,
        position,
    };
    let (transaction_id, _) = record(tx, who, &locked, done).await?;
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
        pool,
        position,
    };
    let (transaction_id, _) = record(tx, who, &locked, done).await?;
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
    /// What became of the pool and of the position.
    pool: Pool,
    position: Position,
}

/// Posts it, writes it into the history, and saves pool and position. Answers with the transaction and what
/// [`lock::save`] answers.
async fn record(
    tx: &DatabaseTransaction,
    who: Staker,
    locked: &LockedPool,
    done: Done,
) -> Result<(Uuid, QueryResult), ApiError> {
    let event = Uuid::now_v7();
    let (kind, amount) = (done.kind, done.amount);
    let posting = Posting::transfer(kind, event.to_string(), clock::now_ms(), done.move_, amount)
        .map_err(from_ledger_to_payer)?;
    let transaction_id = posting.id().as_uuid();
    posting::post(tx, &[posting])
        .await
        .map_err(from_ledger_to_payer)?;
    let outcome = Outcome {
        event,
        action: done.action,
        amount,
        transaction_id,
        user: who.uid,
        wallet: &who.wallet.to_string(),
        pool: &done.pool,
        position: &done.position,
    };
    Ok((transaction_id, lock::save(tx, locked, &outcome).await?))
}

async fn lock_pool(tx: &DatabaseTransaction, who: Staker) -> Result<LockedPool, ApiError> {
    lock::pool(tx, who.influencer)
        .await?
        .ok_or_else(|| ApiError::of(Code::StakePoolNotFound))
}

/// What the user has available, and has staked in the pool.
const fn accounts(who: Staker, locked: &LockedPool) -> (Account, Account) {
    let staked = Account::UserStaked {
        user: who.uid,
        pool: locked.id,
    };
    (Account::UserAvailable(who.uid), staked)
}
