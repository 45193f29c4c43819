//! Removing what is old removes nothing that is needed.

use crate::world::World;
use bus::sweep;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_never_published_is_kept_however_old_it_is() {
    let world = World::new().await;
    world.publish_all(0..3).await;
    assert_eq!(sweep::outbox(&world.db, Duration::ZERO).await.unwrap(), 0);
    let (_relay, _consumer) = (world.relay(), world.consumer());
    world.each_once(0..3).await;
    assert_eq!(
        sweep::outbox(&world.db, Duration::from_hours(1))
            .await
            .unwrap(),
        0
    );
    assert_eq!(sweep::outbox(&world.db, Duration::ZERO).await.unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_known_that_an_event_was_dealt_with_for_as_long_as_it_can_come_again() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer());
    world.publish_all(0..3).await;
    world.each_once(0..3).await;
    assert_eq!(sweep::inbox(&world.db, Duration::ZERO).await.unwrap(), 0);
    sweep::outbox(&world.db, Duration::ZERO).await.unwrap();
    assert_eq!(
        sweep::inbox(&world.db, Duration::from_hours(1))
            .await
            .unwrap(),
        0
    );
    assert_eq!(sweep::inbox(&world.db, Duration::ZERO).await.unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_batch_is_removed() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer());
    world.publish_all(0..1_100).await;
    world.each_once(0..1_100).await;
    assert_eq!(
        sweep::outbox(&world.db, Duration::ZERO).await.unwrap(),
        1_100
    );
    assert_eq!(
        sweep::inbox(&world.db, Duration::ZERO).await.unwrap(),
        1_100
    );
}
