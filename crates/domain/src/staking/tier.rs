//! Tiers of influencers, and how an earning is split.

use crate::money::Amount;

/// The standing of an influencer, by what is staked in the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// Less than 1,000 TWIST.
    Bronze,
    /// From 1,000 TWIST.
    Silver,
    /// From 10,000 TWIST.
    Gold,
    /// From 50,000 TWIST.
    Platinum,
}

impl Tier {
    /// From the lowest.
    pub const ALL: [Self; 4] = [Self::Bronze, Self::Silver, Self::Gold, Self::Platinum];

    /// The tier of a pool that holds `total_staked`.
    pub fn of(total_staked: Amount) -> Self {
        let reached = |tier: &Self| total_staked >= tier.threshold();
        Self::ALL
            .into_iter()
            .rev()
            .find(reached)
            .unwrap_or(Self::Bronze)
    }

    /// The least that has to be staked.
    pub const fn threshold(self) -> Amount {
        match self {
            Self::Bronze => Amount::ZERO,
            Self::Silver => Amount::from_twist(1_000),
            Self::Gold => Amount::from_twist(10_000),
            Self::Platinum => Amount::from_twist(50_000),
        }
    }

    /// The most that stakers may be promised of an earning.
    pub const fn max_revenue_share(self) -> RevenueShare {
        match self {
            Self::Bronze => RevenueShare(2_000),
            Self::Silver => RevenueShare(3_000),
            Self::Gold => RevenueShare(4_000),
            Self::Platinum => RevenueShare::MAX,
        }
    }

    /// Active links; `None` for no limit.
    pub const fn link_limit(self) -> Option<u32> {
        match self {
            Self::Bronze => Some(10),
            Self::Silver => Some(50),
            Self::Gold => Some(200),
            Self::Platinum => None,
        }
    }

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bronze => "BRONZE",
            Self::Silver => "SILVER",
            Self::Gold => "GOLD",
            Self::Platinum => "PLATINUM",
        }
    }

    /// The tier with this name.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == text)
    }
}

/// The stakers' part of an earning, in basis points, `0 ..= 5000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RevenueShare(u16);

/// More than half.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a revenue share is 0 to 5000 basis points")]
pub struct ShareError;

/// Basis points in the whole.
const WHOLE: u128 = 10_000;

/// An earning, split. The parts are the whole again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// `⌊earning × bps / 10000⌋`, for the stakers.
    pub staker_share: Amount,
    /// The rest, for the influencer.
    pub influencer_share: Amount,
}

impl RevenueShare {
    /// Half.
    pub const MAX: Self = Self(5_000);
    /// What a pool has unless told otherwise.
    pub const DEFAULT: Self = Self(2_000);

    /// `bps` basis points.
    pub const fn new(bps: u16) -> Result<Self, ShareError> {
        if bps > Self::MAX.0 {
            Err(ShareError)
        } else {
            Ok(Self(bps))
        }
    }

    /// Basis points.
    pub const fn bps(self) -> u16 {
        self.0
    }

    /// What is in force for a pool of `tier` that was promised this: never more than the tier's maximum.
    #[must_use]
    pub fn within(self, tier: Tier) -> Self {
        self.min(tier.max_revenue_share())
    }

    /// Splits an earning between stakers and influencer.
    pub fn split(self, earning: Amount) -> Split {
        // At most half of an amount, so it is one.
        let units = u128::from(earning.units()) * u128::from(self.0) / WHOLE;
        let staker_share = u64::try_from(units)
            .ok()
            .and_then(|units| Amount::from_units(units).ok())
            .unwrap_or(Amount::ZERO);
        let influencer_share = earning.checked_sub(staker_share).unwrap_or(Amount::ZERO);
        Split {
            staker_share,
            influencer_share,
        }
    }
}

impl TryFrom<i32> for RevenueShare {
    type Error = ShareError;

    fn try_from(bps: i32) -> Result<Self, ShareError> {
        u16::try_from(bps)
            .map_err(|_| ShareError)
            .and_then(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tier_begins_at_its_threshold() {
        for tier in Tier::ALL {
            assert_eq!(Tier::of(tier.threshold()), tier);
            assert_eq!(Tier::from_text(tier.as_str()), Some(tier));
        }
        for (units, tier) in [
            (999_999_999_999, Tier::Bronze),
            (9_999_999_999_999, Tier::Silver),
            (49_999_999_999_999, Tier::Gold),
            (i64::MAX.unsigned_abs(), Tier::Platinum),
        ] {
            assert_eq!(Tier::of(Amount::from_units(units).unwrap()), tier);
        }
    }

    #[test]
    fn a_pool_that_fell_pays_no_more_than_its_tier_allows() {
        let promised = RevenueShare::new(4_500).unwrap();
        let in_force = Tier::ALL.map(|tier| promised.within(tier).bps());
        assert_eq!(in_force, [2_000, 3_000, 4_000, 4_500]);
        assert!(RevenueShare::new(5_001).is_err());
        assert!(RevenueShare::try_from(-1).is_err());
    }

    proptest! {
        #[test]
        fn the_parts_of_an_earning_are_the_whole(units in 0..=i64::MAX.unsigned_abs(), bps in 0..=5_000u16) {
            let earning = Amount::from_units(units).unwrap();
            let Split { staker_share, influencer_share } = RevenueShare::new(bps).unwrap().split(earning);
            prop_assert_eq!(staker_share.checked_add(influencer_share), Ok(earning));
            prop_assert_eq!(u128::from(staker_share.units()), u128::from(units) * u128::from(bps) / 10_000);
        }
    }
}
