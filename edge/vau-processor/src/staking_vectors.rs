//! The golden vectors of staking, run by the functions as they are compiled to wasm. The Worker does not stake; but the
//! arithmetic is promised to be the same wherever it is compiled, and this machine has half the width of the native one.

// Exported to JavaScript, not to Rust.
#![allow(unreachable_pub)]

use crate::vectors::failed;
use domain::Amount;
use domain::staking::{Apy, DailyYield, Pool, Position, RevenueShare, StakingError, Tier, Trend};
use serde::Deserialize;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

#[derive(Deserialize)]
struct PoolCase {
    users: usize,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    op: Op,
    #[serde(default)]
    user: usize,
    #[serde(default)]
    amount: Amount,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Op {
    Stake,
    Unstake,
    Distribute,
    Claim,
}

impl Step {
    /// What it makes of the two, and what a claim paid.
    fn run(
        &self,
        pool: Pool,
        position: Position,
    ) -> Result<(Pool, Position, Option<Amount>), StakingError> {
        let changed = |(pool, position)| (pool, position, None);
        match self.op {
            Op::Stake => pool.stake(position, self.amount).map(changed),
            Op::Unstake => pool.unstake(position, self.amount).map(changed),
            Op::Distribute => pool
                .distribute(self.amount)
                .map(|pool| (pool, position, None)),
            Op::Claim => pool
                .claim(position)
                .map(|(pool, position, paid)| (pool, position, Some(paid))),
        }
    }
}

/// What came of each step of a pool in JSON, and the state after them, in the form of the vectors.
#[wasm_bindgen(js_name = stakingPoolVector)]
pub fn pool_vector(text: &str) -> Result<String, JsValue> {
    let case: PoolCase = serde_json::from_str(text).map_err(failed)?;
    let mut pool = Pool::default();
    let mut positions = vec![Position::default(); case.users];
    let mut outcomes = Vec::new();
    for step in &case.steps {
        let position = positions
            .get_mut(step.user)
            .ok_or_else(|| failed("no such user"))?;
        outcomes.push(match step.run(pool, *position) {
            Ok((changed, of_user, paid)) => {
                (pool, *position) = (changed, of_user);
                paid.map_or_else(|| json!({}), |paid| json!({ "paid": paid }))
            }
            Err(error) => json!({ "error": format!("{error:?}") }),
        });
    }
    let positions = positions.iter().map(|position| {
        let pending = position.pending(&pool).map_err(failed)?;
        Ok(json!({ "amount": position.amount, "claimed": position.claimed, "pending": pending }))
    });
    Ok(json!({
        "outcomes": outcomes,
        "after": {
            "accumulator": pool.accumulator.to_string(),
            "ahead": pool.ahead.to_string(),
            "totalStaked": pool.total_staked,
            "stakerCount": pool.staker_count,
            "distributed": pool.distributed,
            "claimed": pool.claimed,
        },
        "positions": positions.collect::<Result<Vec<_>, JsValue>>()?,
    })
    .to_string())
}

/// A case of one of the lists of rules, as the vectors have it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
enum RuleCase {
    Splits {
        earning: Amount,
        bps: u16,
    },
    Tiers {
        total_staked: Amount,
    },
    ApyOfMonth {
        rewards: Amount,
        total_staked: Amount,
    },
    ApyOfDay {
        staker_share: Amount,
        total_staked: Amount,
    },
    Trends {
        last: Amount,
        before: Amount,
    },
}

/// What follows from a case in JSON, `{"<list>": {…}}`.
#[wasm_bindgen(js_name = stakingRuleVector)]
pub fn rule_vector(text: &str) -> Result<String, JsValue> {
    let follows: Value = match serde_json::from_str(text).map_err(failed)? {
        RuleCase::Splits { earning, bps } => {
            let split = RevenueShare::new(bps).map_err(failed)?.split(earning);
            json!({ "stakerShare": split.staker_share, "influencerShare": split.influencer_share })
        }
        RuleCase::Tiers { total_staked } => {
            let tier = Tier::of(total_staked);
            json!({
                "tier": tier.as_str(),
                "maxRevenueShareBps": tier.max_revenue_share().bps(),
                "linkLimit": tier.link_limit(),
            })
        }
        RuleCase::ApyOfMonth {
            rewards,
            total_staked,
        } => json!({ "apyBps": Apy::of_month(rewards, total_staked).bps() }),
        RuleCase::ApyOfDay {
            staker_share,
            total_staked,
        } => {
            let day = DailyYield {
                staker_share,
                total_staked,
            };
            json!({ "apyBps": Apy::of_day(day).bps() })
        }
        RuleCase::Trends { last, before } => json!({ "trend": Trend::of(last, before).as_str() }),
    };
    Ok(follows.to_string())
}
