//! Giving an earning to a pool's stakers and its influencer. What is given is moved in the ledger in the same
//! transaction, so nothing is paid that was not funded. The influencer's part becomes payable when the holding period of
//! the terms in force is over.

use super::{amount, lock, one, statement};
use crate::error::{from_ledger_to_payer, from_staking};
use ::payouts::release::{HeldEarning, account_for, hold};
use ::payouts::{Terms, current};
use contracts::Code;
use domain::Amount;
use domain::staking::{Split, Tier};
use ledger::account::{self, Account};
use ledger::posting::{self, Leg, Posting, TxKind};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction};
use service::{ApiError, clock};
use uuid::Uuid;

/// What kind of thing was earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An operator brought it in from outside.
    Deposit,
    /// The commission of a conversion.
    Commission,
}

impl Source {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Commission => "commission",
        }
    }

    const fn kind(self) -> TxKind {
        match self {
            Self::Deposit => TxKind::OperatorDeposit,
            Self::Commission => TxKind::RewardsFunded,
        }
    }
}

/// An earning of an influencer.
#[derive(Debug, Clone)]
pub struct Earning<'a> {
    /// What kind.
    pub source: Source,
    /// Which one; each is distributed once.
    pub source_ref: &'a str,
    /// How much, before it is split.
    pub amount: Amount,
    /// The account that pays.
    pub from: Account,
}

/// An earning that was distributed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// The ledger transaction.
    pub transaction_id: Uuid,
    /// To the stakers.
    pub staker_share: Amount,
    /// To the influencer.
    pub influencer_share: Amount,
    /// The pool's stakers were ever given, this included.
    pub distributed: Amount,
}

/// Splits `earning` between the stakers of the influencer's pool and the influencer, and pays both from its
/// account. Distributing it again changes nothing and gives the same.
///
/// # Errors
/// 404 `stake.pool_not_found` without an active pool, 409 `stake.no_stakers` when nobody has staked: nothing is
/// taken.
pub async fn distribute(
    tx: &DatabaseTransaction,
    influencer: Uuid,
    earning: &Earning<'_>,
) -> Result<Distribution, ApiError> {
    let locked = lock::pool(tx, influencer)
        .await?
        .ok_or_else(|| ApiError::of(Code::StakePoolNotFound))?;
    if let Some(before) = before(tx, &locked, earning).await? {
        return Ok(before);
    }
    if !locked.active {
        return Err(ApiError::of(Code::StakePoolNotFound));
    }
    let share = locked.promised.within(Tier::of(locked.pool.total_staked));
    let split = share.split(earning.amount);
    let pool = locked
        .pool
        .distribute(split.staker_share)
        .map_err(from_staking)?;
    let earned = locked
        .earned
        .checked_add(earning.amount)
        .map_err(|_| from_staking(domain::staking::StakingError::TooLarge))?;
    let terms = current(tx).await?;
    let transaction_id = post(tx, &locked, earning, split, &terms).await?;
    lock::save_pool(tx, locked.id, &pool, earned).await?;
    let id = Uuid::now_v7();
    let sql = "INSERT INTO distributions (id, pool_id, source, source_ref, amount, revenue_share_bps, \
                   staker_share, influencer_share, accumulator, total_staked, transaction_id) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::numeric, $10, $11)";
    let values = [
        id.into(),
        locked.id.into(),
        earning.source.as_str().into(),
        earning.source_ref.into(),
        earning.amount.to_i64().into(),
        i32::from(share.bps()).into(),
        split.staker_share.to_i64().into(),
        split.influencer_share.to_i64().into(),
        pool.accumulator.to_string().into(),
        pool.total_staked.to_i64().into(),
        transaction_id.into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    let held = HeldEarning {
        id,
        influencer: locked.influencer,
        source: earning.source.as_str(),
        source_ref: earning.source_ref,
        amount: split.influencer_share,
        transaction_id,
    };
    hold(tx, &terms, &held).await?;
    Ok(Distribution {
        transaction_id,
        staker_share: split.staker_share,
        influencer_share: split.influencer_share,
        distributed: pool.distributed,
    })
}

/// The same earning's distribution, if it was made.
async fn before(
    tx: &DatabaseTransaction,
    locked: &lock::LockedPool,
    earning: &Earning<'_>,
) -> Result<Option<Distribution>, ApiError> {
    let sql = "SELECT pool_id, amount, staker_share, influencer_share, transaction_id \
               FROM distributions WHERE source = $1 AND source_ref = $2";
    let values = [earning.source.as_str().into(), earning.source_ref.into()];
    let Some(row) = one(tx, sql, values).await? else {
        return Ok(None);
    };
    let pool: Uuid = row.try_get("", "pool_id")?;
    if pool != locked.id || amount(&row, "amount")? != earning.amount {
        return Err(ApiError::internal(
            &"an earning was distributed before, to another pool or with another amount",
        ));
    }
    Ok(Some(Distribution {
        transaction_id: row.try_get("", "transaction_id")?,
        staker_share: amount(&row, "staker_share")?,
        influencer_share: amount(&row, "influencer_share")?,
        distributed: locked.pool.distributed,
    }))
}

async fn post(
    tx: &DatabaseTransaction,
    locked: &lock::LockedPool,
    earning: &Earning<'_>,
    split: Split,
    terms: &Terms,
) -> Result<Uuid, ApiError> {
    let parts = [
        (Account::PoolRewards(locked.id), split.staker_share),
        (
            account_for(terms, locked.influencer),
            split.influencer_share,
        ),
    ];
    let mut legs = vec![Leg::debit(earning.from, earning.amount)];
    // A share can be nothing, and nothing cannot be posted.
    let paid = parts.into_iter().filter(|(_, part)| !part.is_zero());
    legs.extend(paid.map(|(account, part)| Leg::credit(account, part)));
    let posting = Posting::new(
        earning.source.kind(),
        earning.source_ref,
        clock::now_ms(),
        legs,
    )
    .map_err(from_ledger_to_payer)?;
    let accounts: Vec<Account> = posting.accounts().collect();
    account::open(tx, &accounts)
        .await
        .map_err(from_ledger_to_payer)?;
    let id = posting.id().as_uuid();
    posting::post(tx, &[posting])
        .await
        .map_err(from_ledger_to_payer)?;
    Ok(id)
}
