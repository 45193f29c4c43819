//! Tiers follow what is staked, and each change is told once.

use crate::stream::first_arrived;
use crate::world::World;
use contracts::event::TierChanged;
use contracts::staking::Tier;
use std::time::Duration;
use uuid::Uuid;

const SOON: (&str, &str) = ("TIERS__EVERY_SECONDS", "1");
const TWIST: u64 = 1_000_000_000;
const EVENTS: &str = "SELECT count(*) FROM outbox WHERE topic = 'twist.staking.tier_changed.v1'";

impl World {
    /// An influencer in whose pool `twist` is staked.
    async fn influencer(&self, twist: u64) -> Uuid {
        let (user, id) = (Uuid::new_v4(), Uuid::now_v7());
        let name = id.simple().to_string();
        let name = &name[name.len() - 12..];
        self.run(&format!(
            "INSERT INTO users (id) VALUES ('{user}'); \
             INSERT INTO influencers (id, user_id, username, display_name) VALUES ('{id}', '{user}', 'i_{name}', 'I'); \
             INSERT INTO staking_pools (id, influencer_id, revenue_share_bps, min_stake) \
             VALUES ('{user}', '{id}', 2000, 1)"
        ))
        .await;
        self.staked(id, twist).await;
        id
    }

    /// Now `twist` is staked with the influencer.
    async fn staked(&self, influencer: Uuid, twist: u64) {
        let units = twist * TWIST;
        self.run(&format!(
            "UPDATE staking_pools SET total_staked = {units}, staker_count = least({units}, 1) \
             WHERE influencer_id = '{influencer}'"
        ))
        .await;
    }

    async fn until_tier(&self, influencer: Uuid, tier: &str) {
        let sql = format!(
            "SELECT count(*) FROM influencers WHERE id = '{influencer}' AND tier = '{tier}' \
             AND tier_changed_at > now() - interval '1 minute'"
        );
        self.until_count(&sql, 1).await;
    }

    /// What was told of the influencer, in order.
    async fn told(&self, influencer: Uuid) -> Vec<(i64, TierChanged)> {
        self.until_count("SELECT count(*) FROM outbox WHERE published_at IS NULL", 0)
            .await;
        let events = first_arrived(&self.redis_url, "staking").await.into_iter();
        events
            .filter(|event| event.aggregate == format!("influencer:{influencer}"))
            .map(|event| (event.aggregate_seq, event.fact().unwrap()))
            .collect()
    }
}

fn change(of: Uuid, from: Tier, to: Tier, twist: u32) -> TierChanged {
    TierChanged {
        influencer_id: of,
        from,
        to,
        total_staked: domain::Amount::from_twist(twist),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_follows_what_is_staked_and_each_change_is_told_once_by_two_instances() {
    let world = World::new().await;
    let (one, none) = (world.influencer(10_000).await, world.influencer(999).await);
    let (first, second) = (world.worker(&[SOON]).await, world.worker(&[SOON]).await);
    world.until_tier(one, "GOLD").await;
    world.staked(one, 60_000).await;
    world.until_tier(one, "PLATINUM").await;
    world.staked(one, 1).await;
    world.until_tier(one, "BRONZE").await;
    // A few more runs, in which nothing has changed.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(
        world.told(one).await,
        [
            (1, change(one, Tier::Bronze, Tier::Gold, 10_000)),
            (2, change(one, Tier::Gold, Tier::Platinum, 60_000)),
            (3, change(one, Tier::Platinum, Tier::Bronze, 1)),
        ]
    );
    assert_eq!(world.told(none).await, []);
    first.program.stop();
    second.program.stop();
}

/// Three influencers have risen; the instance that notices dies at `point`, and another goes on.
async fn told_around(point: &str, before: i64) {
    let world = World::new().await;
    let mut influencers = Vec::new();
    for _ in 0..3 {
        influencers.push(world.influencer(1_000).await);
    }
    world.die_at(point, &[SOON]).await;
    assert_eq!(world.count(EVENTS).await, before);
    let worker = world.worker(&[SOON]).await;
    for id in influencers {
        world.until_tier(id, "SILVER").await;
        assert_eq!(
            world.told(id).await,
            [(1, change(id, Tier::Bronze, Tier::Silver, 1_000))]
        );
    }
    assert_eq!(world.count(EVENTS).await, 3);
    worker.program.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_a_change_is_committed_it_is_neither_known_nor_told_and_the_next_does_both() {
    told_around("tier.before_commit", 0).await;
    told_around("tier.before_commit:3", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_a_change_was_committed_it_is_told_and_not_again() {
    told_around("tier.after_commit", 1).await;
    told_around("tier.after_commit:3", 3).await;
}
