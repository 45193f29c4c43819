//! Work at set times, once across all instances.
//!
//! A job's row says when it is due. Whoever finds it due takes a lease on it by compare-and-set, keeps the lease alive
//! while it works, and then moves the due time on to the next of its [`Cadence`], counted from when it was due and not
//! from when it was done. A lease whose holder is gone expires, and another instance does the same run. A run that
//! failed is tried again after a pause. All times are the database's.

mod cadence;
mod store;

pub use cadence::Cadence;

use crate::metrics::{JOB_DURATION, JOB_RUNS};
use crate::stop::Stop;
use failpoint::Point;
use futures_util::FutureExt as _;
use sea_orm::{DatabaseConnection, DbErr};
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use store::{Lease, Store};
use time::OffsetDateTime;
use tokio::task::JoinSet;

/// Why a run failed.
pub type JobError = Box<dyn std::error::Error + Send + Sync>;
type Work = Pin<Box<dyn Future<Output = Result<(), JobError>> + Send>>;

/// One run of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// When it was due: the same for every attempt at this run, so ids can be derived from it.
    pub due: OffsetDateTime,
}

/// What is to be done, and when.
#[derive(Clone)]
pub struct Job {
    name: &'static str,
    cadence: Cadence,
    work: Arc<dyn Fn(Run) -> Work + Send + Sync>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Job").field(&self.name).finish()
    }
}

impl Job {
    /// `name` names it for ever. `work` may be cut short at any of its awaits, when its lease is lost.
    pub fn new<F, R, E>(name: &'static str, cadence: Cadence, work: F) -> Self
    where
        F: Fn(Run) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<JobError>,
    {
        let work = move |run| -> Work { Box::pin(work(run).map(|done| done.map_err(Into::into))) };
        Self {
            name,
            cadence,
            work: Arc::new(work),
        }
    }
}

/// How a scheduler works.
#[derive(Debug, Clone, Copy)]
pub struct SchedulerConfig {
    /// How often it looks for jobs that are due.
    pub poll: Duration,
    /// How long a holder that is not heard of is believed to be at work.
    pub lease: Duration,
    /// The pause after a run that failed.
    pub retry: Duration,
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            lease: Duration::from_secs(8),
            retry: Duration::from_secs(30),
        }
    }
}

/// Runs jobs. Any number of instances may.
#[derive(Debug)]
pub struct Scheduler {
    store: Store,
    jobs: Vec<Job>,
    config: SchedulerConfig,
}

impl Scheduler {
    /// For `jobs` of different names.
    pub fn new(database: DatabaseConnection, jobs: Vec<Job>, config: SchedulerConfig) -> Self {
        Self {
            store: Store::new(database, config.lease),
            jobs,
            config,
        }
    }

    /// Works until asked to stop, and then until the runs at hand are done.
    pub async fn run(self, stop: Stop) {
        let mut running: JoinSet<&'static str> = JoinSet::new();
        let mut busy: Vec<&'static str> = Vec::new();
        let mut registered = false;
        while !stop.is_asked() {
            while let Some(ended) = running.try_join_next() {
                if let Ok(name) = ended {
                    busy.retain(|job| *job != name);
                }
            }
            let outcome = self.turn(&mut registered, &mut running, &mut busy).await;
            if let Err(error) = outcome {
                tracing::warn!(cause = %error, "due jobs cannot be found");
            }
            stop.sleep(self.config.poll).await;
        }
        while running.join_next().await.is_some() {}
    }

    async fn turn(
        &self,
        registered: &mut bool,
        running: &mut JoinSet<&'static str>,
        busy: &mut Vec<&'static str>,
    ) -> Result<(), DbErr> {
        if !*registered {
            for job in &self.jobs {
                self.store.register(job.name, &job.cadence).await?;
            }
            *registered = true;
        }
        for (name, due) in self.store.due().await? {
            let job = self.jobs.iter().find(|job| job.name == name);
            let Some(job) = job.filter(|job| !busy.contains(&job.name)) else {
                continue;
            };
            if let Some(lease) = self.store.claim(job.name, due).await? {
                busy.push(job.name);
                let (job, config) = (job.clone(), self.config);
                running.spawn(async move {
                    run_one(&job, lease, config).await;
                    job.name
                });
            }
        }
        Ok(())
    }
}

async fn run_one(job: &Job, lease: Lease, config: SchedulerConfig) {
    failpoint::here(Point::JobClaimed);
    let begun = tokio::time::Instant::now();
    let run = Run { due: lease.due() };
    // Made inside, so that a panic of the closure itself is caught too.
    let work = AssertUnwindSafe(async { (job.work)(run).await }).catch_unwind();
    let outcome = tokio::select! {
        outcome = work => Some(outcome),
        () = lease.keep() => None,
    };
    let finished = match outcome {
        Some(Ok(Ok(()))) => {
            failpoint::here(Point::JobBeforeFinish);
            note(job.name, "ok");
            lease.finish(&job.cadence).await
        }
        Some(Ok(Err(error))) => {
            note(job.name, "failed");
            let cause = crate::redacted(&error.to_string());
            tracing::error!(
                job = job.name,
                cause,
                "a job failed and will be tried again"
            );
            lease.retry(config.retry).await
        }
        Some(Err(_)) => {
            note(job.name, "failed");
            tracing::error!(job = job.name, "a job panicked and will be tried again");
            lease.retry(config.retry).await
        }
        None => {
            note(job.name, "lost");
            tracing::warn!(job = job.name, "a job was cut short: its lease was lost");
            Ok(())
        }
    };
    if let Err(error) = finished {
        // The lease expires, and the run is done again.
        tracing::warn!(job = job.name, cause = %error, "the end of a job could not be noted");
    }
    metrics::histogram!(JOB_DURATION, "job" => job.name).record(begun.elapsed().as_secs_f64());
}

fn note(job: &'static str, result: &'static str) {
    metrics::counter!(JOB_RUNS, "job" => job, "result" => result).increment(1);
}
