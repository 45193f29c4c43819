//! Many at once on one pool.

use crate::pool::{TWIST, good};
use crate::support::Api;
use serde_json::json;
use std::sync::Arc;
use tokio::task::JoinSet;

const USERS: usize = 8;
const ROUNDS: u64 = 25;

/// Numbers that look random and are the same in each run.
fn next(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_connections_at_once_leave_every_unit_accounted_for() {
    let api = Arc::new(Api::new().await);
    let operator = Arc::new(api.with("operator").await);
    let pools = [
        api.pool(&operator, "crowd_one", json!({ "minStake": "1" }))
            .await,
        api.pool(&operator, "crowd_two", json!({ "minStake": "1" }))
            .await,
    ];
    let mut crowd = JoinSet::new();
    for seed in 0..USERS {
        let (api, operator) = (Arc::clone(&api), Arc::clone(&operator));
        crowd.spawn(async move {
            let user = api.funded(50 * TWIST).await;
            let mut state = seed as u64 + 7;
            let mut moved = 0;
            for _ in 0..ROUNDS {
                let pool = pools[usize::from(next(&mut state).is_multiple_of(3))];
                let units = 1 + next(&mut state) % (3 * TWIST);
                let answer = match next(&mut state) % 8 {
                    0..=2 => api.stake(&user, pool, units).await,
                    3 | 4 => api.unstake(&user, pool, units).await,
                    5 => api.claim(&user, pool).await,
                    _ => api.deposit(&operator, pool, units % 100_003 + 1).await,
                };
                let status = answer.status().as_u16();
                assert!(
                    [201, 400, 404, 409].contains(&status),
                    "{status} {}",
                    answer.text().await.unwrap()
                );
                moved += u64::from(status == 201);
            }
            (user, moved)
        });
    }
    let everyone = crowd.join_all().await;
    let moved: u64 = everyone.iter().map(|(_, moved)| moved).sum();
    assert!(moved > ROUNDS * 3, "only {moved} requests had an effect");
    api.assert_sound().await;

    // All leave: what is then left in a pool is less than a unit for each who was there, and the pool's own.
    for (user, _) in &everyone {
        for stake in api.stakes_of(user).await.as_array().unwrap() {
            let pool = stake["influencer"]["id"].as_str().unwrap().parse().unwrap();
            let staked: u64 = stake["stake"]["amount"].as_str().unwrap().parse().unwrap();
            if staked > 0 {
                good(api.unstake(user, pool, staked).await, 201).await;
            }
            let pending = api.claim(user, pool).await.status().as_u16();
            assert!([201, 404].contains(&pending));
        }
    }
    for pool in pools {
        let metrics = api.read(&format!("/staking/influencer/{pool}"), "").await["metrics"].clone();
        assert_eq!(metrics["totalStaked"], "0");
        assert_eq!(metrics["stakerCount"], 0);
        let left: u64 = metrics["pendingRewards"].as_str().unwrap().parse().unwrap();
        assert!(left <= USERS as u64, "{left} units are left over");
    }
    api.assert_sound().await;
}
