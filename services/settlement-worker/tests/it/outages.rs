//! Redis and PostgreSQL go and come back under an instance at work.

use crate::stream::Writer;
use crate::world::{World, until};
use testkit::{OwnPostgres, OwnRedis};

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_away_events_wait_and_the_rest_goes_on() {
    let redis = OwnRedis::new().await;
    let world = World::with_redis(&redis).await;
    let user = world.user_with(1).await;
    let worker = world.worker(&[]).await;
    let writer = Writer::start(&world.db);
    writer.writes(50).await;
    redis.stop().await;
    writer.writes(50).await;
    until("not ready", async || worker.status("/ready").await == 503).await;
    world.deposit(user, 1).await;
    world
        .until_count("SELECT unsealed FROM ledger_seal_lag()", 0)
        .await;
    redis.start().await;
    until("ready", async || worker.status("/ready").await == 200).await;
    writer.writes(50).await;
    let written = writer.stop().await;
    world.assert_all_arrived_in_order(written).await;
    worker.program.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_postgresql_loses_no_event_and_stops_no_instance() {
    let (postgres, redis) = (OwnPostgres::new().await, OwnRedis::new().await);
    let world = World::on(&postgres, &redis).await;
    let user = world.user_with(1).await;
    let worker = world.worker(&[]).await;
    let writer = Writer::start(&world.db);
    writer.writes(50).await;
    postgres.kill().await;
    until("not ready", async || worker.status("/ready").await == 503).await;
    assert_eq!(worker.status("/health").await, 200);
    postgres.start().await;
    until("ready", async || worker.status("/ready").await == 200).await;
    writer.writes(50).await;
    let written = writer.stop().await;
    world.assert_all_arrived_in_order(written).await;
    world.deposit(user, 1).await;
    world
        .until_count("SELECT unsealed FROM ledger_seal_lag()", 0)
        .await;
    testkit::assert_ledger_invariants(&world.db).await;
    worker.program.stop();
}
