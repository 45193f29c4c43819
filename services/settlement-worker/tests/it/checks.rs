//! The check of the books: every invariant has a gauge, and a broken one is seen on every instance.

use crate::world::{World, until};
use ledger::check::INVARIANTS;

const SOON: (&str, &str) = ("CHECK__EVERY_SECONDS", "1");
const OBSERVED: (&str, &str) = ("OBSERVE_SECONDS", "1");

fn gauge(invariant: &str) -> String {
    format!("ledger_invariant_broken{{invariant=\"{invariant}\"}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_invariant_is_named_by_a_metric_of_every_instance_and_by_the_log() {
    let world = World::new().await;
    let user = world.user_with(10).await;
    let checks = world.worker(&[SOON, OBSERVED]).await;
    let other = world.worker(&[SOON, OBSERVED]).await;
    for worker in [&checks, &other] {
        for name in INVARIANTS.iter().map(|one| one.id).chain(["chain"]) {
            until(name, async || {
                worker.metric(&gauge(name)).await == Some(0.0)
            })
            .await;
        }
        let age = worker.metric("ledger_check_age_seconds").await.unwrap();
        assert!(age < 30.0, "{age}");
    }
    let owner = world.owner().await;
    world
        .until_count("SELECT unsealed FROM ledger_seal_lag()", 0)
        .await;
    crate::world::run_as(
        &owner,
        &format!(
            "UPDATE ledger_account SET posted_credits = posted_credits + 1 WHERE owner = '{user}'"
        ),
    )
    .await;
    for worker in [&checks, &other] {
        for (name, broken) in [("L2", 1.0), ("L3", 1.0), ("L1", 0.0), ("chain", 0.0)] {
            until(name, async || {
                worker.metric(&gauge(name)).await == Some(broken)
            })
            .await;
        }
    }
    // Whichever did it.
    let log = checks.program.stop() + &other.program.stop();
    let broken = "an invariant of the ledger is broken";
    let line = log
        .lines()
        .find(|line| line.contains(broken) && line.contains("\"L2\""));
    let line = line.unwrap_or_else(|| panic!("no alarm in {log}"));
    assert!(line.contains("\"ERROR\""), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_is_written_anew_behind_what_was_proved_is_noticed() {
    let world = World::new().await;
    let user = world.user_with(10).await;
    let worker = world.worker(&[SOON, OBSERVED]).await;
    world
        .until_count("SELECT count(*) FROM chain_proof WHERE seals = 1", 1)
        .await;
    worker.program.stop();
    // All of it: transaction, fingerprint and seal fit each other, only not what was noted.
    let owner = world.owner().await;
    for sql in [
        "ALTER TABLE ledger_seal DISABLE TRIGGER USER",
        "UPDATE ledger_seal SET hash = sha256('another')",
    ] {
        crate::world::run_as(&owner, sql).await;
    }
    let again = world.worker(&[SOON, OBSERVED]).await;
    until("noticed", async || {
        again.metric(&gauge("chain")).await == Some(1.0)
    })
    .await;
    // What was proved stays noted until a person has looked.
    world.deposit(user, 1).await;
    assert_eq!(world.count("SELECT seals FROM chain_proof").await, 1);
    assert!(
        again
            .program
            .stop()
            .contains("the hash chain of the ledger is broken")
    );
}
