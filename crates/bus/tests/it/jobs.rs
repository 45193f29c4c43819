//! Work at set times.

use crate::world::{World, run};
use bus::jobs::SchedulerConfig;
use bus::{Cadence, Job, Run, Scheduler};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// How often each run was begun, and finished.
type Runs = Arc<Mutex<BTreeMap<OffsetDateTime, (u32, u32)>>>;

const EVERY_SECOND: Cadence = Cadence::Every(Duration::from_secs(1));

fn quick() -> SchedulerConfig {
    SchedulerConfig {
        poll: Duration::from_millis(50),
        lease: Duration::from_millis(800),
        retry: Duration::from_millis(100),
    }
}

fn job(runs: &Runs, takes: Duration) -> Job {
    let runs = Arc::clone(runs);
    Job::new("test", EVERY_SECOND, move |Run { due }| {
        let runs = Arc::clone(&runs);
        async move {
            runs.lock().unwrap().entry(due).or_default().0 += 1;
            tokio::time::sleep(takes).await;
            runs.lock().unwrap().entry(due).or_default().1 += 1;
            Ok::<(), std::io::Error>(())
        }
    })
}

fn finished(runs: &Runs) -> usize {
    runs.lock()
        .unwrap()
        .values()
        .filter(|(_, done)| *done > 0)
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_done_once_however_many_instances_there_are() {
    let world = World::new().await;
    let runs = Runs::default();
    let schedulers: Vec<_> = (0..4)
        .map(|_| {
            let scheduler =
                Scheduler::new(world.db.clone(), vec![job(&runs, Duration::ZERO)], quick());
            run(|stop| scheduler.run(stop))
        })
        .collect();
    world
        .until("five runs", async || finished(&runs) >= 5)
        .await;
    for scheduler in schedulers {
        scheduler.stop().await;
    }
    let runs = runs.lock().unwrap();
    assert!(runs.values().all(|times| *times == (1, 1)), "{runs:?}");
    assert!(
        runs.keys().all(|due| due.nanosecond() == 0),
        "by the schedule: {runs:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_holder_was_killed_is_done_by_another_within_ten_seconds() {
    let world = World::new().await;
    let (dead, alive) = (Runs::default(), Runs::default());
    let config = SchedulerConfig::default();
    let for_ever = job(&dead, Duration::from_hours(1));
    let scheduler = Scheduler::new(world.db.clone(), vec![for_ever], config);
    let first = run(|stop| scheduler.run(stop));
    world
        .until("begun", async || !dead.lock().unwrap().is_empty())
        .await;
    first.kill().await;
    // The tasks of the dead die with their process; here the lease of one is taken for it.
    let due = *dead.lock().unwrap().keys().next().unwrap();
    let sql = "UPDATE schedule SET lease_by = gen_random_uuid()";
    sea_orm::ConnectionTrait::execute_unprepared(&world.db, sql)
        .await
        .unwrap();
    let begun = Instant::now();
    let scheduler = Scheduler::new(world.db.clone(), vec![job(&alive, Duration::ZERO)], config);
    let _second = run(|stop| scheduler.run(stop));
    world.until("done", async || finished(&alive) > 0).await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(
        alive.lock().unwrap().keys().next(),
        Some(&due),
        "the same run"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_takes_longer_than_its_lease_keeps_it_and_overlaps_with_none() {
    let world = World::new().await;
    let runs = Runs::default();
    let long = Duration::from_millis(2_500);
    let schedulers: Vec<_> = (0..2)
        .map(|_| {
            let scheduler = Scheduler::new(world.db.clone(), vec![job(&runs, long)], quick());
            run(|stop| scheduler.run(stop))
        })
        .collect();
    world.until("two runs", async || finished(&runs) >= 2).await;
    let seen = runs.lock().unwrap().clone();
    let (first, second) = (seen.keys().next().unwrap(), seen.keys().nth(1).unwrap());
    assert!(seen.values().all(|(begun, _)| *begun == 1), "{seen:?}");
    assert!(
        *second - *first >= time::Duration::seconds(3),
        "those missed meanwhile are left out: {seen:?}"
    );
    for scheduler in schedulers {
        scheduler.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_failed_or_panicked_is_done_again_and_holds_up_no_other_job() {
    let world = World::new().await;
    let (attempts, runs) = (Arc::new(Mutex::new(Vec::new())), Runs::default());
    let seen = Arc::clone(&attempts);
    let failing = Job::new("failing", EVERY_SECOND, move |Run { due }| {
        let seen = Arc::clone(&seen);
        async move {
            let number = {
                let mut seen = seen.lock().unwrap();
                seen.push(due);
                seen.len()
            };
            assert_ne!(number, 2, "told to panic");
            if number < 4 {
                Err(std::io::Error::other("not yet"))
            } else {
                Ok(())
            }
        }
    });
    let jobs = vec![failing, job(&runs, Duration::ZERO)];
    let scheduler = Scheduler::new(world.db.clone(), jobs, quick());
    let scheduler = run(|stop| scheduler.run(stop));
    world
        .until("done at last", async || attempts.lock().unwrap().len() >= 4)
        .await;
    world
        .until("others done", async || finished(&runs) >= 2)
        .await;
    let attempts = attempts.lock().unwrap()[..4].to_vec();
    assert!(
        attempts.iter().all(|due| *due == attempts[0]),
        "the same run: {attempts:?}"
    );
    scheduler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_waits_for_the_run_at_hand() {
    let world = World::new().await;
    let runs = Runs::default();
    let slow = job(&runs, Duration::from_secs(2));
    let scheduler = Scheduler::new(world.db.clone(), vec![slow], quick());
    let scheduler = run(|stop| scheduler.run(stop));
    world
        .until("begun", async || !runs.lock().unwrap().is_empty())
        .await;
    scheduler.stop().await;
    assert_eq!(finished(&runs), 1);
}
