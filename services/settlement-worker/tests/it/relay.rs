//! The relay: one instance leads, another follows, and no event is lost or overtakes one of its aggregate.

use crate::stream::{Writer, write};
use crate::world::{World, until};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn when_the_leader_is_killed_the_events_of_a_writer_go_on_within_ten_seconds() {
    let world = World::new().await;
    // As it is in production.
    let usual = [("RELAY__CAMPAIGN_MS", "1000"), ("RELAY__POLL_MS", "500")];
    let mut leader = world.worker(&usual).await;
    until("one leads", async || leader.leads().await).await;
    let mut other = world.worker(&usual).await;
    let writer = Writer::start(&world.db);
    for _ in 0..3 {
        writer.writes(100).await;
        assert!(!other.leads().await, "two lead");
        leader.program.kill();
        let killed = Instant::now();
        let newest = world.count("SELECT max(id) FROM outbox").await;
        let published =
            format!("SELECT count(*) FROM outbox WHERE id > {newest} AND published_at IS NOT NULL");
        until("published again", async || {
            world.count(&published).await > 0
        })
        .await;
        let took = killed.elapsed();
        assert!(took < Duration::from_secs(10), "it took {took:?}");
        until("the other leads", async || other.leads().await).await;
        leader = other;
        other = world.worker(&usual).await;
    }
    let written = writer.stop().await;
    assert!(written > 300, "only {written} were written");
    world.assert_all_arrived_in_order(written).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_hangs_is_followed_within_ten_seconds() {
    let world = World::new().await;
    let leader = world.worker(&[]).await;
    until("one leads", async || leader.leads().await).await;
    let other = world.worker(&[]).await;
    let told = |signal: &str| {
        let id = leader.program.pid().to_string();
        let kill = std::process::Command::new("kill")
            .args([signal, &id])
            .status();
        assert!(kill.unwrap().success());
    };
    told("-STOP");
    let hung = Instant::now();
    write(&world.db, 0).await;
    until("the other leads", async || other.leads().await).await;
    let took = hung.elapsed();
    assert!(took < Duration::from_secs(10), "it took {took:?}");
    world.assert_all_arrived_in_order(1).await;
    told("-CONT");
    until("it has noticed", async || !leader.leads().await).await;
}

/// Twelve events, published by an instance that dies at `point` and then by another.
async fn published_around(point: &str) -> usize {
    let world = World::new().await;
    for number in 0..12 {
        assert!(write(&world.db, number).await);
    }
    let small = [("RELAY__BATCH", "4")];
    world.die_at(point, &small).await;
    let worker = world.worker(&small).await;
    let repeats = world.assert_all_arrived_in_order(12).await;
    worker.program.stop();
    repeats
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_with_a_batch_in_its_hands_the_relay_loses_and_repeats_nothing() {
    assert_eq!(published_around("relay.taken").await, 0);
    assert_eq!(published_around("relay.taken:2").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_it_notes_what_it_published_the_relay_repeats_that_batch() {
    assert_eq!(published_around("relay.appended").await, 4);
    assert_eq!(published_around("relay.appended:3").await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_it_noted_what_it_published_the_relay_goes_on_with_the_rest() {
    assert_eq!(published_around("relay.marked").await, 0);
    assert_eq!(published_around("relay.marked:3").await, 0);
}
