//! The golden vectors of `tests/vectors/staking-v1.json`, number for number.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use domain::Amount;
use domain::staking::{Apy, DailyYield, Pool, Position, RevenueShare, StakingError, Tier, Trend};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    pools: Vec<PoolCase>,
    splits: Vec<Value>,
    tiers: Vec<Value>,
    apy_of_month: Vec<Value>,
    apy_of_day: Vec<Value>,
    trends: Vec<Value>,
}

#[derive(Deserialize)]
struct PoolCase {
    name: String,
    users: usize,
    steps: Vec<Step>,
    after: Value,
    positions: Vec<Value>,
}

#[derive(Deserialize)]
struct Step {
    op: String,
    #[serde(default)]
    user: usize,
    amount: Option<Amount>,
    paid: Option<Amount>,
    error: Option<String>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../tests/vectors/staking-v1.json")).unwrap()
}

fn amount(value: &Value) -> Amount {
    Amount::try_from(value.as_str().unwrap()).unwrap()
}

impl Step {
    /// Makes the step; what a claim paid.
    fn run(
        &self,
        pool: &mut Pool,
        position: &mut Position,
    ) -> Result<Option<Amount>, StakingError> {
        let amount = || self.amount.unwrap();
        match self.op.as_str() {
            "stake" => (*pool, *position) = pool.stake(*position, amount())?,
            "unstake" => (*pool, *position) = pool.unstake(*position, amount())?,
            "distribute" => *pool = pool.distribute(amount())?,
            "claim" => {
                let paid;
                (*pool, *position, paid) = pool.claim(*position)?;
                return Ok(Some(paid));
            }
            other => panic!("no such step: {other}"),
        }
        Ok(None)
    }
}

#[test]
fn every_pool_goes_through_the_published_states() {
    let cases = vectors().pools;
    assert!(cases.len() >= 4);
    for case in cases {
        let mut pool = Pool::default();
        let mut positions = vec![Position::default(); case.users];
        for (index, step) in case.steps.iter().enumerate() {
            let done = step.run(&mut pool, &mut positions[step.user]);
            let expected = match &step.error {
                Some(error) => Err(error.clone()),
                None => Ok(step.paid),
            };
            let done = done.map_err(|error| format!("{error:?}"));
            assert_eq!(done, expected, "{}, step {index}", case.name);
        }
        let after = &case.after;
        assert_eq!(
            pool.accumulator.to_string(),
            after["accumulator"].as_str().unwrap()
        );
        assert_eq!(pool.ahead.to_string(), after["ahead"].as_str().unwrap());
        assert_eq!(pool.total_staked, amount(&after["totalStaked"]));
        assert_eq!(
            u64::from(pool.staker_count),
            after["stakerCount"].as_u64().unwrap()
        );
        assert_eq!(pool.distributed, amount(&after["distributed"]));
        assert_eq!(pool.claimed, amount(&after["claimed"]));
        assert_eq!(positions.len(), case.positions.len());
        for (position, published) in positions.iter().zip(&case.positions) {
            assert_eq!(position.amount, amount(&published["amount"]));
            assert_eq!(position.claimed, amount(&published["claimed"]));
            assert_eq!(position.pending(&pool), Ok(amount(&published["pending"])));
        }
    }
}

#[test]
fn earnings_are_split_and_tiers_reached_as_published() {
    for case in vectors().splits {
        let bps = u16::try_from(case["bps"].as_u64().unwrap()).unwrap();
        let split = RevenueShare::new(bps)
            .unwrap()
            .split(amount(&case["earning"]));
        assert_eq!(split.staker_share, amount(&case["stakerShare"]));
        assert_eq!(split.influencer_share, amount(&case["influencerShare"]));
    }
    for case in vectors().tiers {
        let tier = Tier::of(amount(&case["totalStaked"]));
        assert_eq!(tier.as_str(), case["tier"]);
        assert_eq!(tier.max_revenue_share().bps(), case["maxRevenueShareBps"]);
        assert_eq!(tier.link_limit().map(u64::from), case["linkLimit"].as_u64());
    }
}

#[test]
fn yields_and_trends_are_the_published_ones() {
    let bps = |case: &Value| case["apyBps"].as_u64().unwrap();
    let (months, days) = (vectors().apy_of_month, vectors().apy_of_day);
    assert!(months.len() >= 30 && days.len() >= 15);
    for case in months {
        let apy = Apy::of_month(amount(&case["rewards"]), amount(&case["totalStaked"]));
        assert_eq!(u64::from(apy.bps()), bps(&case), "{case}");
    }
    for case in days {
        let apy = Apy::of_day(DailyYield {
            staker_share: amount(&case["stakerShare"]),
            total_staked: amount(&case["totalStaked"]),
        });
        assert_eq!(u64::from(apy.bps()), bps(&case), "{case}");
    }
    for case in vectors().trends {
        let trend = Trend::of(amount(&case["last"]), amount(&case["before"]));
        assert_eq!(trend.as_str(), case["trend"]);
    }
}
