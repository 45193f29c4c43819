//! Jobs are done at their times, once across instances, whoever is killed.

use crate::world::{World, until};
use std::time::{Duration, Instant};

const JOBS: [&str; 4] = ["bus_sweep", "ledger_check", "ledger_expiry", "tier_sync"];
const SOON: (&str, &str) = ("SWEEP__EVERY_SECONDS", "1");
const RUNS: &str = "SELECT runs FROM schedule WHERE name = 'bus_sweep'";
const HELD: &str =
    "SELECT count(*) FROM schedule WHERE name = 'bus_sweep' AND lease_by IS NOT NULL";

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_do_each_run_of_a_job_once() {
    let world = World::new().await;
    let (first, second) = (world.worker(&[SOON]).await, world.worker(&[SOON]).await);
    let done = r#"job_runs_total{job="bus_sweep",result="ok"}"#;
    let begun = Instant::now();
    until("some runs", async || world.count(RUNS).await >= 4).await;
    // Both may stop only between runs.
    let (ours, theirs) = (first.metric(done).await, second.metric(done).await);
    let both = ours.unwrap_or(0.0) + theirs.unwrap_or(0.0);
    let took = begun.elapsed().as_secs_f64();
    assert!(
        (3.0..=took + 2.0).contains(&both),
        "{both} runs in {took} s"
    );
    for job in JOBS {
        let sql = format!("SELECT count(*) FROM schedule WHERE name = '{job}'");
        assert_eq!(world.count(&sql).await, 1, "{job}");
    }
    first.program.stop();
    second.program.stop();
    assert_eq!(world.count(HELD).await, 0, "a lease was left behind");
}

/// The instance that does a job dies at `point`; another does the same run when the lease is over.
async fn done_after(point: &str) {
    let world = World::new().await;
    world.die_at(point, &[SOON]).await;
    assert_eq!(
        world.count(HELD).await,
        1,
        "the lease is that of the killed"
    );
    let due = "SELECT extract(epoch FROM due_at)::bigint FROM schedule WHERE name = 'bus_sweep'";
    let owed = world.count(due).await;
    let worker = world.worker(&[SOON]).await;
    let begun = Instant::now();
    until("the run is done", async || world.count(due).await > owed).await;
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(world.count(RUNS).await >= 2);
    worker.program.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_holder_was_killed_before_it_began_is_done_by_another() {
    done_after("job.claimed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_holder_was_killed_when_it_was_done_is_done_again() {
    done_after("job.before_finish").await;
}
