//! The check of the books: every invariant has a gauge, and a broken one is seen on every instance.

use crate::world::{World, until};
use ledger::check::INVARIANTS;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};

const SOON: (&str, &str) = ("CHECK__EVERY_SECONDS", "1");
const OBSERVED: (&str, &str) = ("OBSERVE_SECONDS", "1");

fn gauge(invariant: &str) -> String {
    format!("ledger_invariant_broken{{invariant=\"{invariant}\"}}")
}

fn age(invariant: &str) -> String {
    format!("ledger_check_age_seconds{{invariant=\"{invariant}\"}}")
}

/// What there are verdicts on: the chain's is in place of that of L8.
fn names() -> impl Iterator<Item = &'static str> {
    let asked = INVARIANTS.iter().map(|one| one.id);
    asked.filter(|id| *id != "L8").chain(["chain"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_invariant_is_named_by_a_metric_of_every_instance_and_by_the_log() {
    let world = World::new().await;
    let user = world.user_with(10).await;
    let checks = world.worker(&[SOON, OBSERVED]).await;
    let other = world.worker(&[SOON, OBSERVED]).await;
    for worker in [&checks, &other] {
        for name in names() {
            until(name, async || {
                worker.metric(&gauge(name)).await == Some(0.0)
            })
            .await;
            let age = worker.metric(&age(name)).await.unwrap();
            assert!(age < 30.0, "{age}");
        }
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

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_takes_too_long_leaves_the_others_be_and_its_verdict_grows_old() {
    let world = World::new().await;
    let user = world.user_with(10).await;
    let verdicts = "SELECT count(*) FROM verdicts";
    let wanted = i64::try_from(names().count()).unwrap();
    let settings = [SOON, OBSERVED, ("CHECK__STATEMENT_TIMEOUT_SECONDS", "1")];
    let worker = world.worker(&settings).await;
    world.until_count(verdicts, wanted).await;
    let owner = world.owner().await;
    let lock = owner.begin().await.unwrap();
    lock.execute_unprepared("LOCK TABLE vaus IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let aged = "SELECT count(*) FROM verdicts WHERE invariant = 'V1' AND broken = 0 \
                AND checked_at < now() - interval '4 seconds'";
    world.until_count(aged, 1).await;
    // What is asked before it and after it is answered all the time.
    let damage = format!("UPDATE ledger_account SET posted_credits = 11 WHERE owner = '{user}'");
    crate::world::run_as(&owner, &damage).await;
    until("L2", async || {
        worker.metric(&gauge("L2")).await == Some(1.0)
    })
    .await;
    world.deposit(user, 1).await;
    world.until_count("SELECT seals FROM chain_proof", 2).await;
    let (old, young) = (
        worker.metric(&age("V1")).await.unwrap(),
        worker.metric(&age("chain")).await.unwrap(),
    );
    assert!(old > 4.0 && old > young, "{old} {young}");
    assert_eq!(worker.metric(&gauge("V1")).await, Some(0.0));
    lock.rollback().await.unwrap();
    world.until_count(aged, 0).await;
    let log = worker.program.stop();
    let line = log
        .lines()
        .find(|line| line.contains("could not be checked") && line.contains("\"V1\""));
    assert!(line.is_some_and(|line| line.contains("\"ERROR\"")), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn that_nothing_was_ever_checked_is_seen_too() {
    let world = World::new().await;
    let worker = world.worker(&[OBSERVED]).await;
    for name in names() {
        until(name, async || {
            let age = worker.metric(&age(name)).await;
            age.is_some_and(|age| age > 1.0)
        })
        .await;
        assert_eq!(worker.metric(&gauge(name)).await, None);
    }
    assert_eq!(world.count("SELECT count(*) FROM verdicts").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_the_sealer_has_passed_over_is_noticed() {
    let world = World::new().await;
    let user = world.user_with(10).await;
    world.deposit(user, 1).await;
    let worker = world.worker(&[]).await;
    let looked_back = "SELECT count(*) FROM ledger_seal_mark WHERE sealed_through = 2";
    world.until_count(looked_back, 1).await;
    worker.program.stop();
    let owner = world.owner().await;
    for sql in [
        "ALTER TABLE ledger_seal DISABLE TRIGGER USER",
        "DELETE FROM ledger_seal WHERE seq = 2",
    ] {
        crate::world::run_as(&owner, sql).await;
    }
    let again = world.worker(&[SOON, OBSERVED]).await;
    until("noticed", async || {
        again.metric(&gauge("chain")).await == Some(1.0)
    })
    .await;
    assert!(again.program.stop().contains("transactions have no seal"));
}
