//! From the outbox to the streams.

use crate::faults::{Faulty, Kind};
use crate::world::{World, event};
use bus::{RelayConfig, publish};
use sea_orm::TransactionTrait as _;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_rolled_back_transaction_is_never_published() {
    let world = World::new().await;
    let _relay = world.relay();
    let transaction = world.db.begin().await.unwrap();
    publish(&transaction, event(666)).await.unwrap();
    transaction.rollback().await.unwrap();
    world.publish_all(0..3).await;
    world.drained_of_publishing().await;
    assert_eq!(world.stream_length().await, 3);
    let _consumer = world.consumer();
    world.each_once(0..3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_transactions_that_commit_late_are_not_skipped() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer());
    let late = world.db.begin().await.unwrap();
    publish(&late, event(0)).await.unwrap();
    // Higher numbers, of other aggregates, published while the lower one is not yet there.
    world.publish_all(1..5).await;
    world
        .until("the later ones", async || {
            world.effects().await == [1, 2, 3, 4]
        })
        .await;
    late.commit().await.unwrap();
    world.each_once(0..5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_an_aggregate_are_numbered_without_a_gap_and_stay_in_order() {
    let world = World::new().await;
    let writers = (0..4).map(|writer| {
        let db = world.db.clone();
        tokio::spawn(async move {
            for number in 0..25 {
                let transaction = db.begin().await.unwrap();
                let fact = crate::world::Counted {
                    number: writer * 100 + number,
                };
                let event = bus::Event::new("counter:one", &fact).unwrap();
                publish(&transaction, event).await.unwrap();
                // Every third changes its mind.
                if number % 3 == 0 {
                    transaction.rollback().await.unwrap();
                } else {
                    transaction.commit().await.unwrap();
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let sql = "SELECT count(*) FROM (SELECT aggregate_seq, row_number() OVER (ORDER BY id) AS place \
               FROM outbox) q WHERE aggregate_seq = place";
    assert_eq!(world.count(sql).await, 4 * 16);
    assert_eq!(world.count("SELECT count(*) FROM outbox").await, 4 * 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_killed_between_appending_and_marking_loses_and_doubles_nothing() {
    let world = World::new().await;
    world.publish_all(0..40).await;
    let streams = Faulty::new(world.streams(), Kind::HangsAfterAppend);
    let happened = streams.happened.clone();
    let relay = world.relay_over(streams);
    world
        .until("appended", async || happened.load(Ordering::SeqCst) > 0)
        .await;
    relay.kill().await;
    assert_eq!(world.stream_length().await, 40);
    let _relay = world.relay();
    world.drained_of_publishing().await;
    assert_eq!(world.stream_length().await, 80, "the fault did not happen");
    let consumer = world.consumer();
    world.each_once(0..40).await;
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_relays_one_publishes() {
    let world = World::new().await;
    let relays = [world.relay(), world.relay(), world.relay()];
    world.publish_all(0..200).await;
    world.drained_of_publishing().await;
    assert_eq!(world.stream_length().await, 200, "two have published");
    let _consumer = world.consumer();
    world.each_once(0..200).await;
    for relay in relays {
        relay.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_relay_leads_within_ten_seconds_of_a_kill() {
    let world = World::new().await;
    let first = world.relay_with(world.streams(), RelayConfig::default());
    world.publish(0).await;
    world
        .until("published by the first", async || {
            world.stream_length().await == 1
        })
        .await;
    // Else it is killed before it has marked the event, which is then published again, as it must be.
    world.drained_of_publishing().await;
    let _second = world.relay_with(world.streams(), RelayConfig::default());
    let begun = Instant::now();
    first.kill().await;
    world.publish(1).await;
    world
        .until("published by the second", async || {
            world.stream_length().await == 2
        })
        .await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_sleeps_is_followed_within_ten_seconds_and_does_no_harm_when_it_wakes() {
    let world = World::new().await;
    let _consumer = world.consumer();
    // Sleeps in the middle of a batch, with rows locked, for longer than the database lets it.
    let streams = Faulty::new(world.streams(), Kind::HangsAfterAppend);
    let config = RelayConfig {
        patience: Duration::from_secs(8),
        ..RelayConfig::default()
    };
    let _sleeper = world.relay_with(streams.clone(), config);
    world.publish(0).await;
    let happened = async || streams.happened.load(Ordering::SeqCst) > 0;
    world.until("asleep", happened).await;
    let begun = Instant::now();
    let _other = world.relay_with(world.streams(), RelayConfig::default());
    world.publish_all(1..5).await;
    let follows = async || {
        world
            .count("SELECT count(*) FROM outbox WHERE published_at IS NOT NULL")
            .await
            == 5
    };
    world.until("led by the other", follows).await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    // It wakes, finds its session gone, and only tries to lead.
    tokio::time::sleep(Duration::from_secs(9).saturating_sub(begun.elapsed())).await;
    world.publish_all(5..8).await;
    world.each_once(0..8).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_wakes_the_relay() {
    let world = World::new().await;
    let _relay = world.relay_with(
        world.streams(),
        RelayConfig {
            // So that only being told can be quick; shorter than the database's patience with an idle leader.
            poll: Duration::from_secs(4),
            ..RelayConfig::default()
        },
    );
    world.publish(0).await;
    world
        .until("published", async || world.stream_length().await == 1)
        .await;
    let mut quickest = Duration::MAX;
    for number in 1..4 {
        let begun = Instant::now();
        world.publish(number).await;
        world
            .until("published", async || {
                world.stream_length().await == number + 1
            })
            .await;
        quickest = quickest.min(begun.elapsed());
    }
    assert!(quickest < Duration::from_secs(2), "{quickest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_area_that_takes_no_events_does_not_stop_the_others() {
    let world = World::new().await;
    // Not a stream, so that nothing can be appended to it.
    world
        .redis_command("SET", &["twist:events:broken", "x"])
        .await;
    let transaction = world.db.begin().await.unwrap();
    for _ in 0..600 {
        let event = bus::Event::new("broken:1", &Broken {}).unwrap();
        publish(&transaction, event).await.unwrap();
    }
    transaction.commit().await.unwrap();
    world.publish_all(0..5).await;
    let (_relay, _consumer) = (world.relay(), world.consumer());
    world
        .until("the good ones", async || {
            world.effects().await == [0, 1, 2, 3, 4]
        })
        .await;
    world.redis_command("DEL", &["twist:events:broken"]).await;
    world.drained().await;
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Broken {}

impl bus::Fact for Broken {
    const TOPIC: bus::Topic = bus::Topic::new("broken", "happened", 1);
}
