//! What a person was told, added up.

use std::collections::BTreeMap;
use uuid::Uuid;

/// One person's money, as it follows from the answers they got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    /// Without what payouts bring.
    pub available: u64,
    /// By influencer.
    pub staked: BTreeMap<Uuid, u64>,
    /// By influencer.
    pub claimed: BTreeMap<Uuid, u64>,
    /// Payouts that were asked for, and for how much each.
    pub payouts: BTreeMap<Uuid, u64>,
    /// Operations that had an effect.
    pub done: u64,
    /// Operations that were refused.
    pub refused: u64,
}

impl Book {
    /// Notes a stake.
    pub fn stake(&mut self, pool: Uuid, units: u64) {
        self.available = self.available.checked_sub(units).expect("it was there");
        *self.staked.entry(pool).or_default() += units;
    }

    /// Notes that a stake was taken back.
    pub fn unstake(&mut self, pool: Uuid, units: u64) {
        let staked = self.staked.entry(pool).or_default();
        *staked = staked.checked_sub(units).expect("it was staked");
        self.available += units;
    }

    /// Notes a claim.
    pub fn claim(&mut self, pool: Uuid, units: u64) {
        *self.claimed.entry(pool).or_default() += units;
        self.available += units;
    }
}
