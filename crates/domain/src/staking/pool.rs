//! A pool and a position in it, as state machines: each step gives the state after it, or an error and
//! nothing has changed.
//!
//! The pool keeps one number that only grows: how much one staked unit has earned since the pool began,
//! in units of 2^-64 base units. A position remembers the value up to which it is settled, so that a
//! distribution writes one row however many stakers there are, and a late staker gets nothing of what
//! was distributed before. What a unit earns is rounded up, so that a share that is a whole number is paid
//! whole; what was thereby given too much, less than one base unit in all, is taken from the next
//! distribution, and what is less than a base unit stays in the position until it is one:
//!
//! `distributed × 2^64 + ahead = Σ (claimed × 2^64 + carried + amount × (accumulator − debt))`
//!
//! holds after every step, to the last bit. No more is ever paid than was distributed: as `ahead` is below
//! 2^63 and nothing on the right is negative, `Σ claimed < distributed + 1/2`, and both are whole.
//!
//! Nothing can overflow: a distribution over `T ≥ 1` staked units adds `⌈(share × 2^64 − ahead) / T⌉`
//! to the accumulator and leaves a new `ahead` below `T`. So the sum of `T × growth` over all
//! distributions is at most `2^64 × Σ share + T`, and `Σ share` and `T`, both an [`Amount`], are below 2^63.
//! The accumulator (as `T ≥ 1`) and what a position has earned (as its amount is at most `T`) are
//! therefore below 2^127, and so is a numerator.

use crate::money::Amount;

/// A staked unit's earnings are counted in 2^-64 base units.
pub const SCALE_BITS: u32 = 64;

/// A pool's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pool {
    /// What one unit that was staked from the beginning would have earned, in 2^-64 base units.
    pub accumulator: u128,
    /// What units were given too much by rounding, in 2^-64 base units: less than what was staked at the last
    /// distribution. The next one gives so much less.
    pub ahead: u128,
    /// The sum of all positions.
    pub total_staked: Amount,
    /// Positions above zero.
    pub staker_count: u32,
    /// The sum of all distributions.
    pub distributed: Amount,
    /// The sum of all claims.
    pub claimed: Amount,
}

/// One user's part in a pool. The default is that of a user who never staked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Staked now.
    pub amount: Amount,
    /// The pool's accumulator when the position was last settled.
    pub debt: u128,
    /// Earned before that and not claimed, in 2^-64 base units.
    pub carried: u128,
    /// The sum of all claims.
    pub claimed: Amount,
}

/// Why a step cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StakingError {
    /// Of nothing.
    #[error("the amount is zero")]
    ZeroAmount,
    /// More than is staked.
    #[error("more than is staked")]
    InsufficientStake,
    /// Not one whole base unit has been earned.
    #[error("nothing to claim")]
    NothingToClaim,
    /// There is nobody to distribute to.
    #[error("nobody has staked")]
    NoStakers,
    /// A total would be larger than an amount can be.
    #[error("a total is too large")]
    TooLarge,
    /// The numbers are not those of a pool and a position in it.
    #[error("the pool and the position do not belong together")]
    Inconsistent,
}

impl Pool {
    /// `position` stakes `amount` more. It earns from the next distribution on.
    pub fn stake(
        self,
        position: Position,
        amount: Amount,
    ) -> Result<(Self, Position), StakingError> {
        if amount.is_zero() {
            return Err(StakingError::ZeroAmount);
        }
        let position = position.settled(&self)?;
        let total_staked = add(self.total_staked, amount)?;
        let newcomer = u32::from(position.amount.is_zero());
        let staker_count = self
            .staker_count
            .checked_add(newcomer)
            .ok_or(StakingError::TooLarge)?;
        let pool = Self {
            total_staked,
            staker_count,
            ..self
        };
        let position = Position {
            amount: add(position.amount, amount)?,
            ..position
        };
        Ok((pool, position))
    }

    /// `position` takes `amount` back. What it has earned stays its own.
    pub fn unstake(
        self,
        position: Position,
        amount: Amount,
    ) -> Result<(Self, Position), StakingError> {
        if amount.is_zero() {
            return Err(StakingError::ZeroAmount);
        }
        let position = position.settled(&self)?;
        let left = position
            .amount
            .checked_sub(amount)
            .map_err(|_| StakingError::InsufficientStake)?;
        let total_staked = self
            .total_staked
            .checked_sub(amount)
            .map_err(|_| StakingError::Inconsistent)?;
        let leaver = u32::from(left.is_zero());
        let staker_count = self
            .staker_count
            .checked_sub(leaver)
            .ok_or(StakingError::Inconsistent)?;
        let pool = Self {
            total_staked,
            staker_count,
            ..self
        };
        let position = Position {
            amount: left,
            ..position
        };
        Ok((pool, position))
    }

    /// `position` is paid the whole base units it has earned; the fraction stays.
    pub fn claim(self, position: Position) -> Result<(Self, Position, Amount), StakingError> {
        let position = position.settled(&self)?;
        let paid = whole(position.carried)?;
        if paid.is_zero() {
            return Err(StakingError::NothingToClaim);
        }
        let claimed = add(self.claimed, paid)?;
        if claimed > self.distributed {
            return Err(StakingError::Inconsistent);
        }
        let pool = Self { claimed, ..self };
        let position = Position {
            carried: fraction(position.carried),
            claimed: add(position.claimed, paid)?,
            ..position
        };
        Ok((pool, position, paid))
    }

    /// Gives `share` to the positions of now, each by its amount.
    pub fn distribute(self, share: Amount) -> Result<Self, StakingError> {
        let staked = u128::from(self.total_staked.units());
        if staked == 0 {
            return Err(StakingError::NoStakers);
        }
        let owed = u128::from(share.units()) << SCALE_BITS;
        // Less than a base unit is ahead, so only nothing can be less than it.
        let (growth, ahead) = match owed.checked_sub(self.ahead) {
            None => (0, self.ahead - owed),
            Some(numerator) => {
                let growth = numerator.div_ceil(staked);
                let given = growth.checked_mul(staked);
                let given = given.ok_or(StakingError::Inconsistent)?;
                (growth, given - numerator)
            }
        };
        let accumulator = self
            .accumulator
            .checked_add(growth)
            .ok_or(StakingError::Inconsistent)?;
        Ok(Self {
            accumulator,
            ahead,
            distributed: add(self.distributed, share)?,
            ..self
        })
    }

    /// What was distributed and not claimed: all positions' pending rewards, and what is left over.
    pub fn unclaimed(&self) -> Result<Amount, StakingError> {
        self.distributed
            .checked_sub(self.claimed)
            .map_err(|_| StakingError::Inconsistent)
    }
}

impl Position {
    /// What a claim would pay now, in whole base units.
    pub fn pending(&self, pool: &Pool) -> Result<Amount, StakingError> {
        whole(self.settled(pool)?.carried)
    }

    /// The position with all that it has earned so far in `carried`.
    fn settled(self, pool: &Pool) -> Result<Self, StakingError> {
        if self.amount > pool.total_staked {
            return Err(StakingError::Inconsistent);
        }
        let carried = pool
            .accumulator
            .checked_sub(self.debt)
            .and_then(|growth| growth.checked_mul(self.amount.units().into()))
            .and_then(|earned| earned.checked_add(self.carried))
            .ok_or(StakingError::Inconsistent)?;
        Ok(Self {
            carried,
            debt: pool.accumulator,
            ..self
        })
    }
}

fn add(a: Amount, b: Amount) -> Result<Amount, StakingError> {
    a.checked_add(b).map_err(|_| StakingError::TooLarge)
}

fn whole(scaled: u128) -> Result<Amount, StakingError> {
    u64::try_from(scaled >> SCALE_BITS)
        .ok()
        .and_then(|units| Amount::from_units(units).ok())
        .ok_or(StakingError::Inconsistent)
}

const fn fraction(scaled: u128) -> u128 {
    scaled & ((1 << SCALE_BITS) - 1)
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
