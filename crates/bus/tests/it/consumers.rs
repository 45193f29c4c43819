//! From the streams to effects.

use crate::faults::{Faulty, Kind};
use crate::world::{CONSUMER, Counter, STREAM, World};
use std::sync::atomic::Ordering;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn every_message_delivered_twice_and_shuffled_has_one_effect() {
    let world = World::new().await;
    let _relay = world.relay();
    let streams = Faulty::new(world.streams(), Kind::TwiceAndShuffled);
    let happened = streams.happened.clone();
    let _consumer = world.consumer_over(streams, Counter::default());
    world.publish_all(0..150).await;
    world.each_once(0..150).await;
    assert!(happened.load(Ordering::SeqCst) > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_dies_after_the_effect_and_before_the_acknowledgement_is_followed_without_a_second_effect()
 {
    let world = World::new().await;
    let _relay = world.relay();
    let streams = Faulty::new(world.streams(), Kind::HangsBeforeAcknowledge);
    let happened = streams.happened.clone();
    let first = world.consumer_over(streams, Counter::default());
    world.publish_all(0..10).await;
    world
        .until("dead", async || happened.load(Ordering::SeqCst) > 0)
        .await;
    first.kill().await;
    assert_eq!(world.effects().await.len(), 1, "the effect came first");
    let _second = world.consumer();
    world.each_once(0..10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_that_gets_lost_has_no_second_effect() {
    let world = World::new().await;
    let _relay = world.relay();
    let streams = Faulty::new(world.streams(), Kind::ForgetsToAcknowledge);
    let forgetful = world.consumer_over(streams, Counter::default());
    world.publish_all(0..20).await;
    world
        .until("twenty", async || world.effects().await.len() == 20)
        .await;
    // Long enough for all to be taken over and dealt with again.
    tokio::time::sleep(Duration::from_secs(2)).await;
    forgetful.stop().await;
    let _consumer = world.consumer();
    world.each_once(0..20).await;
    let dead = "SELECT count(*) FROM dead_letter";
    assert_eq!(
        world.count(dead).await,
        0,
        "what is dealt with does not die"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_of_a_consumer_share_the_events() {
    let world = World::new().await;
    let _relay = world.relay();
    let consumers = [world.consumer(), world.consumer(), world.consumer()];
    world.publish_all(0..300).await;
    world.each_once(0..300).await;
    for consumer in consumers {
        consumer.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_comes_later_gets_what_happened_before() {
    let world = World::new().await;
    let _relay = world.relay();
    world.publish_all(0..30).await;
    world.drained().await;
    let _consumer = world.consumer();
    world.each_once(0..30).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_stream_and_a_missing_group_lose_no_event() {
    let world = World::new().await;
    let relay = world.relay();
    let consumer = world.consumer();
    world.publish_all(0..10).await;
    world.each_once(0..10).await;
    // In the stream, delivered to nobody, and then gone.
    consumer.stop().await;
    world.publish_all(10..20).await;
    world.drained_of_publishing().await;
    world.redis_command("DEL", &[STREAM]).await;
    let consumer = world.consumer();
    world.each_once(0..20).await;
    world
        .redis_command("XGROUP", &["DESTROY", STREAM, CONSUMER])
        .await;
    world.publish_all(20..30).await;
    world.each_once(0..30).await;
    consumer.stop().await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_stream_dropped_while_it_was_owed_comes_again() {
    let world = World::new().await;
    let _relay = world.relay();
    let streams = Faulty::new(world.streams(), Kind::HangsBeforeAcknowledge);
    let happened = streams.happened.clone();
    let first = world.consumer_over(streams, Counter::default());
    world.publish_all(0..10).await;
    world
        .until("dead", async || happened.load(Ordering::SeqCst) > 0)
        .await;
    first.kill().await;
    // As the limit of the stream's length does it.
    world.redis_command("XTRIM", &[STREAM, "MAXLEN", "0"]).await;
    let _second = world.consumer();
    world.each_once(0..10).await;
}
