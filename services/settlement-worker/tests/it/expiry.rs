//! Pending transactions whose time is over: each is voided once.

use crate::world::World;
use std::time::Duration;

const SOON: (&str, &str) = ("EXPIRY__EVERY_SECONDS", "1");
const OPEN: &str = "SELECT count(*) FROM ledger_pending";
const VOIDED: &str = "SELECT count(*) FROM ledger_tx WHERE kind = 'pending_expired'";

/// A user with ten, all of it set aside in ten parts whose time is over.
async fn overdue(world: &World) -> uuid::Uuid {
    let user = world.user_with(10).await;
    for _ in 0..10 {
        world.set_aside(user, 1, Duration::ZERO).await;
    }
    assert_eq!(world.available(user).await, 0);
    user
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_set_aside_for_too_long_is_given_back_once_by_two_instances() {
    let world = World::new().await;
    let user = overdue(&world).await;
    world
        .set_aside(world.user_with(5).await, 5, Duration::from_hours(1))
        .await;
    let (first, second) = (world.worker(&[SOON]).await, world.worker(&[SOON]).await);
    world.until_count(OPEN, 1).await;
    assert_eq!(world.count(VOIDED).await, 10);
    assert_eq!(world.available(user).await, 10);
    testkit::assert_ledger_invariants(&world.db).await;
    first.program.stop();
    second.program.stop();
}

/// Ten transactions, voided by an instance that dies at `point` and then by another.
async fn voided_around(point: &str, left: i64) {
    let world = World::new().await;
    let user = overdue(&world).await;
    let small = [SOON, ("EXPIRY__BATCH", "4")];
    world.die_at(point, &small).await;
    world.until_count(OPEN, left).await;
    let worker = world.worker(&small).await;
    world.until_count(OPEN, 0).await;
    assert_eq!(world.count(VOIDED).await, 10);
    assert_eq!(world.available(user).await, 10);
    testkit::assert_ledger_invariants(&world.db).await;
    worker.program.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_it_is_committed_nothing_is_voided_and_the_next_does_it() {
    voided_around("expiry.before_commit", 10).await;
    voided_around("expiry.before_commit:2", 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_it_was_committed_nothing_is_voided_again() {
    voided_around("expiry.after_commit", 6).await;
    voided_around("expiry.after_commit:3", 0).await;
}
