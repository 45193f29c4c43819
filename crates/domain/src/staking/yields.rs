//! What staking yields a year, and where it is going: the original's formulas in whole numbers.

use crate::money::Amount;

/// A yearly yield in basis points: 1234 is 12.34 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Apy(u32);

/// What stakers got on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyYield {
    /// The sum of the staker shares of the day.
    pub staker_share: Amount,
    /// What was staked at its end.
    pub total_staked: Amount,
}

/// Where the stakes of a pool are going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trend {
    /// More than 110 % of the half month before.
    Up,
    /// Less than 90 % of it.
    Down,
    /// Neither.
    Stable,
}

/// Rates are counted in 10^-4, as in the original.
const PARTS: u128 = 10_000;
/// Days over which the yield of now is taken.
const WINDOW_DAYS: u128 = 30;
const DAYS_A_YEAR: u32 = 365;
/// Fixed point: 48 bits behind the point leave 80 before it, and a factor stays below 2^14.
const POINT: u32 = 48;
const ONE: u128 = 1 << POINT;

impl Apy {
    /// The most that is said: 1,000,000 %. A day's yield compounded for a year soon exceeds any number.
    pub const MAX: Self = Self(100_000_000);
    /// The most that is said of a single day: 1,000 %.
    pub const MAX_OF_A_DAY: Self = Self(100_000);

    /// `bps` basis points, at most [`Self::MAX`].
    pub const fn from_bps(bps: u32) -> Self {
        if bps > Self::MAX.0 {
            Self::MAX
        } else {
            Self(bps)
        }
    }

    /// Basis points.
    pub const fn bps(self) -> u32 {
        self.0
    }

    /// The yield by what stakers got in the last 30 days: with
    /// `d = ⌊rewards × 10^4 / totalStaked⌋ / 30 / 10^4`, it is `(1 + d)^365 − 1`, rounded half up to a basis
    /// point, at most [`Self::MAX`]. Nothing when nothing was paid or nothing is staked.
    pub fn of_month(rewards: Amount, total_staked: Amount) -> Self {
        Self::of_month_ratio(ratio(rewards, total_staked))
    }

    /// [`Self::of_month`] by `⌊rewards × 10^4 / totalStaked⌋`; never falls as that grows.
    pub fn of_month_ratio(ratio: u128) -> Self {
        compound(ratio, WINDOW_DAYS, Self::MAX)
    }

    /// The yield by one day: `(1 + d)^365 − 1` with `d = ⌊stakerShare × 10^4 / totalStaked⌋ / 10^4`, rounded
    /// half up to a basis point, at most [`Self::MAX_OF_A_DAY`].
    pub fn of_day(day: DailyYield) -> Self {
        let ratio = ratio(day.staker_share, day.total_staked);
        compound(ratio, 1, Self::MAX_OF_A_DAY)
    }

    /// The smallest `⌊rewards × 10^4 / totalStaked⌋` of a month whose yield is at least this.
    pub fn least_month_ratio(self) -> u64 {
        // The yield never falls, and this ratio (1 + d = 2) is beyond the cap.
        let (mut low, mut high) = (0u64, 300_000u64);
        while low < high {
            let middle = low.midpoint(high);
            if Self::of_month_ratio(middle.into()) >= self {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}

impl Trend {
    /// By what was staked in the last 15 days and in the 15 before.
    pub fn of(last: Amount, before: Amount) -> Self {
        let scaled = |amount: Amount, by: u128| u128::from(amount.units()) * by;
        if scaled(last, 100) > scaled(before, 110) {
            Self::Up
        } else if scaled(last, 100) < scaled(before, 90) {
            Self::Down
        } else {
            Self::Stable
        }
    }

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Stable => "stable",
        }
    }
}

/// `⌊rewards × 10^4 / staked⌋`, or 0.
fn ratio(rewards: Amount, staked: Amount) -> u128 {
    (u128::from(rewards.units()) * PARTS)
        .checked_div(staked.units().into())
        .unwrap_or(0)
}

/// `(1 + ratio / 10^4 / days)^365 − 1` in basis points, rounded half up, at most `cap`.
///
/// 17 roundings down of at most 2^-48 each, the first of them raised to the 365th power, make the result
/// wrong by less than one part in 2^38.
fn compound(ratio: u128, days: u128, cap: Apy) -> Apy {
    // A daily yield of 100 % or more is beyond either cap after a year.
    if ratio >= PARTS * days {
        return cap;
    }
    let most = ONE * (u128::from(cap.0) / PARTS + 2);
    let mut power = ONE + ratio * ONE / (PARTS * days);
    let (mut result, mut left) = (ONE, DAYS_A_YEAR);
    while left > 0 {
        // With a bit left the result will be at least this power.
        if power > most {
            return cap;
        }
        if left & 1 == 1 {
            result = (result * power) >> POINT;
        }
        if result > most {
            return cap;
        }
        left >>= 1;
        power = (power * power) >> POINT;
    }
    let bps = ((result - ONE) * PARTS + ONE / 2) >> POINT;
    u32::try_from(bps).map_or(cap, |bps| Apy(bps).min(cap))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn twist(n: u32) -> Amount {
        Amount::from_twist(n)
    }

    #[test]
    fn nothing_paid_or_nothing_staked_yields_nothing() {
        assert_eq!(Apy::of_month(Amount::ZERO, twist(5)), Apy(0));
        assert_eq!(Apy::of_month(twist(5), Amount::ZERO), Apy(0));
        // Below one part in ten thousand the original's formula sees nothing.
        assert_eq!(Apy::of_month(twist(1), twist(10_001)), Apy(0));
    }

    #[test]
    fn a_trend_needs_more_than_a_tenth() {
        assert_eq!(Trend::of(twist(111), twist(100)), Trend::Up);
        assert_eq!(Trend::of(twist(110), twist(100)), Trend::Stable);
        assert_eq!(Trend::of(twist(90), twist(100)), Trend::Stable);
        assert_eq!(Trend::of(twist(89), twist(100)), Trend::Down);
        assert_eq!(Trend::of(twist(1), Amount::ZERO), Trend::Up);
        assert_eq!(Trend::of(Amount::ZERO, Amount::ZERO), Trend::Stable);
    }

    proptest! {
        #[test]
        fn no_amounts_overflow(a in 0..=i64::MAX.unsigned_abs(), b in 0..=i64::MAX.unsigned_abs()) {
            let (a, b) = (Amount::from_units(a).unwrap(), Amount::from_units(b).unwrap());
            prop_assert!(Apy::of_month(a, b) <= Apy::MAX);
            let day = DailyYield { staker_share: a, total_staked: b };
            prop_assert!(Apy::of_day(day) <= Apy::MAX_OF_A_DAY);
            let _ = Trend::of(a, b);
        }

        #[test]
        fn a_yield_never_falls_as_more_is_paid(ratio in 0..320_000u128) {
            prop_assert!(Apy::of_month_ratio(ratio) <= Apy::of_month_ratio(ratio + 1));
        }

        #[test]
        fn the_least_ratio_is_the_least(bps in 1..=100_000_000u32) {
            let wanted = Apy::from_bps(bps);
            let least = wanted.least_month_ratio();
            prop_assert!(Apy::of_month_ratio(least.into()) >= wanted);
            prop_assert!(Apy::of_month_ratio(u128::from(least) - 1) < wanted);
        }
    }
}
