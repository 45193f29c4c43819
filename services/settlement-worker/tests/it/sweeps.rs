//! What is no longer needed goes, and nothing else.

use crate::stream::write;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn only_events_that_were_published_long_ago_are_removed() {
    let world = World::new().await;
    for number in 0..3 {
        assert!(write(&world.db, number).await);
    }
    let worker = world.worker(&[("SWEEP__EVERY_SECONDS", "1")]).await;
    world
        .until_count(
            "SELECT count(*) FROM outbox WHERE published_at IS NOT NULL",
            3,
        )
        .await;
    let aged = "UPDATE outbox SET published_at = now() - interval '8 days' WHERE id = (SELECT min(id) FROM outbox)";
    world.run(aged).await;
    world.until_count("SELECT count(*) FROM outbox", 2).await;
    let runs = "SELECT runs FROM schedule WHERE name = 'bus_sweep'";
    let before = world.count(runs).await;
    crate::world::until("two more runs", async || {
        world.count(runs).await >= before + 2
    })
    .await;
    assert_eq!(world.count("SELECT count(*) FROM outbox").await, 2);
    worker.program.stop();
}
