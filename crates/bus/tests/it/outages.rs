//! Redis and PostgreSQL go away, lose what they had, and come back.

use crate::world::World;
use std::time::Duration;
use testkit::OwnPostgres;

#[tokio::test(flavor = "multi_thread")]
async fn flushall_in_traffic_loses_and_doubles_nothing() {
    let world = World::new().await;
    let (_relay, _one, _two) = (world.relay(), world.consumer(), world.consumer());
    for round in 0..6 {
        world.publish_all(round * 50..(round + 1) * 50).await;
        world.redis_command("FLUSHALL", &[]).await;
    }
    world.each_once(0..300).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flushall_while_nobody_consumes_loses_nothing() {
    let world = World::new().await;
    let _relay = world.relay();
    let consumer = world.consumer();
    world.publish_all(0..10).await;
    world.each_once(0..10).await;
    consumer.stop().await;
    world.publish_all(10..20).await;
    world.drained_of_publishing().await;
    world.redis_command("FLUSHALL", &[]).await;
    // These make the stream anew, so that not even its absence shows what happened.
    world.publish_all(20..30).await;
    world.drained_of_publishing().await;
    let _consumer = world.consumer();
    world.each_once(0..30).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_stopped_for_a_while_delays_events_and_loses_none() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer());
    world.publish_all(0..20).await;
    world.redis.stop().await;
    world.publish_all(20..60).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(world.effects().await.len() <= 20);
    world.redis.start().await;
    world.publish_all(60..80).await;
    world.each_once(0..80).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_killed_in_traffic_loses_and_doubles_nothing() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer());
    for round in 0..3 {
        world.publish_all(round * 40..(round + 1) * 40).await;
        world.redis.kill().await;
        world.redis.start().await;
    }
    world.each_once(0..120).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_comes_back_without_its_last_messages_is_noticed() {
    let world = World::new().await;
    let _relay = world.relay();
    let consumer = world.consumer();
    world.publish_all(0..10).await;
    world.each_once(0..10).await;
    consumer.stop().await;
    world.publish_all(10..20).await;
    world.drained_of_publishing().await;
    // As an append-only file that was not yet written: stream and group are there, the last messages are not.
    world
        .redis_command("XTRIM", &[crate::world::STREAM, "MAXLEN", "10"])
        .await;
    let ids = world
        .redis_command("XTRIM", &[crate::world::STREAM, "MAXLEN", "0"])
        .await;
    assert_eq!(ids.as_i64(), Some(10));
    world.redis.stop().await;
    world.redis.start().await;
    let _consumer = world.consumer();
    world.each_once(0..20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_restarted_in_traffic_loses_and_doubles_nothing() {
    let postgres = OwnPostgres::new().await;
    let world = World::on(&postgres).await;
    let (_relay, _consumer) = (world.relay(), world.consumer());
    for round in 0..3 {
        for number in round * 30..(round + 1) * 30 {
            // A publisher that does not know whether it did finds out before it tries again.
            while world.try_publish(number).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        if round == 1 {
            postgres.kill().await;
        } else {
            postgres.stop().await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        postgres.start().await;
    }
    world.each_once(0..90).await;
    let dead = "SELECT count(*) FROM dead_letter";
    assert_eq!(
        world.count(dead).await,
        0,
        "an outage is not an event's fault"
    );
}
