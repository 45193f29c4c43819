//! The sealer: everything is sealed once, whoever is killed.

use crate::world::{World, until};
use ledger::chain;

const UNSEALED: &str = "SELECT unsealed FROM ledger_seal_lag()";

impl World {
    /// Waits until all is sealed, and proves the chain.
    async fn assert_sealed(&self) {
        self.until_count(UNSEALED, 0).await;
        let verdict = chain::verify(&self.db).await.unwrap();
        let transactions = self.count("SELECT count(*) FROM ledger_tx").await;
        assert_eq!(verdict.broken, None);
        assert_eq!(i64::try_from(verdict.seals).unwrap(), transactions);
        testkit::assert_ledger_invariants(&self.db).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sealers_seal_everything_once_while_it_is_posted_and_one_is_killed() {
    let world = World::new().await;
    let user = world.user_with(1).await;
    let first = world.worker(&[("SEALER__BATCH", "7")]).await;
    let second = world.worker(&[("SEALER__BATCH", "7")]).await;
    for _ in 0..60 {
        world.deposit(user, 1).await;
    }
    first.program.kill();
    for _ in 0..60 {
        world.deposit(user, 1).await;
    }
    world.assert_sealed().await;
    until("the lag is shown", async || {
        second.metric("ledger_unsealed_transactions").await == Some(0.0)
            && second.metric("ledger_seal_lag_seconds").await == Some(0.0)
    })
    .await;
    assert_eq!(world.available(user).await, 121);
}

/// Twenty transactions, sealed by an instance that dies at `point` and then by another.
async fn sealed_around(point: &str, left: i64) {
    let world = World::new().await;
    let user = world.user_with(1).await;
    for _ in 0..19 {
        world.deposit(user, 1).await;
    }
    let small = [("SEALER__BATCH", "8")];
    world.die_at(point, &small).await;
    world.until_count(UNSEALED, left).await;
    let worker = world.worker(&small).await;
    world.assert_sealed().await;
    worker.program.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_seals_are_committed_none_of_them_is_there_and_the_next_makes_them() {
    sealed_around("seal.before_commit", 20).await;
    sealed_around("seal.before_commit:3", 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_seals_were_committed_they_stay_and_the_next_goes_on() {
    sealed_around("seal.after_commit", 12).await;
    sealed_around("seal.after_commit:3", 0).await;
}
