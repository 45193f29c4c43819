//! Events that cannot be dealt with.

use crate::world::{Counter, Fault, STREAM, World};
use bus::{BusError, dead_letter};
use std::time::Duration;

/// One event fails in some way; the others are dealt with, and it dies at its eighth delivery.
async fn dies_alone(fault: Fault, error: &str) -> (World, Counter) {
    let world = World::new().await;
    let _relay = world.relay();
    let handler = Counter::default();
    *handler.fault.lock().unwrap() = fault;
    let _consumer = world.consumer_over(world.streams(), handler.clone());
    world.publish_all(0..10).await;
    let others = [0, 1, 2, 4, 5, 6, 7, 8, 9];
    world
        .until("the good ones", async || world.effects().await == others)
        .await;
    world
        .until("given up", async || {
            !dead_letter::list(&world.db, 10).await.unwrap().is_empty()
        })
        .await;
    let letters = dead_letter::list(&world.db, 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].deliveries, 8);
    assert_eq!(letters[0].topic.as_deref(), Some("twist.test.counted.v1"));
    assert!(letters[0].error.starts_with(error), "{}", letters[0].error);
    world.drained().await;
    assert_eq!(
        world.effects().await,
        others,
        "no half of its effect is left"
    );
    (world, handler)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_message_does_not_stop_good_ones_and_is_replayed_once_it_can_be_dealt_with() {
    let error = "cannot tell [redacted] about it";
    let (world, handler) = dies_alone(Fault::Fails(3), error).await;
    *handler.fault.lock().unwrap() = Fault::None;
    let id = dead_letter::list(&world.db, 10).await.unwrap()[0].id;
    dead_letter::replay(&world.db, id).await.unwrap();
    let (_relay, _consumer) = (world.relay(), world.consumer());
    world.each_once(0..10).await;
    let again = dead_letter::replay(&world.db, id).await;
    assert!(matches!(again, Err(BusError::NoDeadLetter(_))), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_costs_only_its_event() {
    dies_alone(Fault::Panics(3), "the handler panicked").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_hangs_costs_only_its_event() {
    dies_alone(Fault::Hangs(3), "the handler took too long").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_always_runs_into_its_time_limit_costs_only_its_event() {
    let error = "Execution Error: error returned from database: canceling statement due to statement timeout";
    dies_alone(Fault::Refused(3), error).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_event_never_comes_again() {
    let (world, handler) = dies_alone(Fault::Fails(3), "cannot tell [redacted] about it").await;
    *handler.fault.lock().unwrap() = Fault::None;
    let id = dead_letter::list(&world.db, 10).await.unwrap()[0].id;
    dead_letter::drop(&world.db, id).await.unwrap();
    assert!(dead_letter::list(&world.db, 10).await.unwrap().is_empty());
    // Not even when all that was not dealt with is published again.
    world.redis_command("FLUSHALL", &[]).await;
    let (_relay, _consumer) = (world.relay(), world.consumer());
    world.publish(10).await;
    world
        .until("the next", async || world.effects().await.contains(&10))
        .await;
    world.drained().await;
    assert!(!world.effects().await.contains(&3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_replayed_after_the_outbox_has_forgotten_it() {
    let (world, handler) = dies_alone(Fault::Fails(3), "cannot tell [redacted] about it").await;
    *handler.fault.lock().unwrap() = Fault::None;
    bus::sweep::outbox(&world.db, Duration::ZERO).await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM outbox").await, 0);
    let id = dead_letter::list(&world.db, 10).await.unwrap()[0].id;
    dead_letter::replay(&world.db, id).await.unwrap();
    let (_relay, _consumer) = (world.relay(), world.consumer());
    world.each_once(0..10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_is_kept_and_does_not_stop_good_ones() {
    let world = World::new().await;
    for (field, value) in [("event", "{\"half\":"), ("other", "x"), ("event", "a\0b")] {
        world
            .redis_command("XADD", &[STREAM, "*", field, value])
            .await;
    }
    let (_relay, _consumer) = (world.relay(), world.consumer());
    world.publish_all(0..5).await;
    world.each_once(0..5).await;
    let letters = dead_letter::list(&world.db, 10).await.unwrap();
    assert_eq!(letters.len(), 3, "{letters:?}");
    let replayed = dead_letter::replay(&world.db, letters[0].id).await;
    assert!(
        matches!(replayed, Err(BusError::NotReplayable(_))),
        "{replayed:?}"
    );
    assert_eq!(
        dead_letter::list(&world.db, 10).await.unwrap().len(),
        3,
        "still open"
    );
    dead_letter::drop(&world.db, letters[0].id).await.unwrap();
}
