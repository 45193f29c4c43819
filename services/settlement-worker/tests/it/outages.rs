//! Redis and PostgreSQL go and come back under an instance at work.

use crate::stream::{Counted, Writer};
use crate::world::{World, until};
use bus::{
    Consumer, ConsumerConfig, Envelope, Fact as _, Handler, HandlerError, RedisStreams, Stop, Topic,
};
use fred::interfaces::ClientLike as _;
use sea_orm::DatabaseTransaction;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
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

/// Remembers what it was given.
#[derive(Debug, Clone, Default)]
struct Listener(Arc<Mutex<BTreeSet<i64>>>);

impl Handler for Listener {
    fn name(&self) -> &'static str {
        "listener"
    }

    fn topics(&self) -> Vec<Topic> {
        vec![Counted::TOPIC]
    }

    async fn handle(
        &self,
        _transaction: &DatabaseTransaction,
        event: &Envelope,
    ) -> Result<(), HandlerError> {
        let number = event.fact::<Counted>()?.number;
        self.0.lock().unwrap().insert(number);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_forgets_everything_in_traffic_and_every_event_is_dealt_with_all_the_same() {
    let redis = OwnRedis::new().await;
    let world = World::with_redis(&redis).await;
    let worker = world.worker(&[]).await;
    let listener = Listener::default();
    let streams = RedisStreams::connect(&world.redis_url, Duration::from_secs(1)).unwrap();
    let config = ConsumerConfig {
        reclaim_every: Duration::from_millis(200),
        ..ConsumerConfig::default()
    };
    let consumer = Consumer::new(world.db.clone(), streams, listener.clone(), config);
    let (stopper, stop) = Stop::pair();
    let consuming = tokio::spawn(consumer.run(stop));
    let writer = Writer::start(&world.db);
    for _ in 0..3 {
        writer.writes(50).await;
        flush(&world.redis_url).await;
    }
    writer.writes(50).await;
    let written = writer.stop().await;
    until("all dealt with", async || {
        let seen = listener.0.lock().unwrap();
        (0..written).all(|number| seen.contains(&number))
    })
    .await;
    stopper.stop();
    consuming.await.unwrap();
    worker.program.stop();
}

async fn flush(redis_url: &str) {
    let config = fred::types::config::Config::from_url(redis_url).unwrap();
    let client = fred::types::Builder::from_config(config).build().unwrap();
    client.init().await.unwrap();
    client.flushall::<()>(false).await.unwrap();
    client.quit().await.unwrap();
}
