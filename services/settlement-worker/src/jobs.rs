//! What is done at set times, once across all instances.

pub(crate) mod check;
mod expiry;
mod payouts;
mod sweep;
mod tiers;

use crate::state::AppState;
use crate::task::Task;
use bus::jobs::JobError;
use bus::{Cadence, Job, Run, Scheduler};

/// Every job. Its name is the row of `schedule` that says when it is due.
pub fn jobs(state: &AppState) -> Vec<Job> {
    let config = &state.config;
    vec![
        job("ledger_expiry", config.expiry.cadence(), state, expiry::run),
        job("ledger_check", config.check.cadence(), state, check::run),
        job("bus_sweep", config.sweep.cadence(), state, sweep::run),
        job("tier_sync", config.tiers.cadence(), state, tiers::run),
        job(
            "payout_settle",
            config.settle.cadence(),
            state,
            payouts::settle,
        ),
        job(
            "earning_release",
            config.release.cadence(),
            state,
            payouts::release,
        ),
        job_of_run("auto_payout", payouts::MONTHLY, state, payouts::auto),
    ]
}

/// The task that does them.
pub(crate) fn scheduler(state: &AppState) -> Task {
    let state = state.clone();
    Task::endless("scheduler", move |stop| {
        let config = state.config.scheduler.as_scheduler();
        Scheduler::new(state.db.clone(), jobs(&state), config).run(stop)
    })
}

fn job<F, R, E>(name: &'static str, cadence: Cadence, state: &AppState, work: F) -> Job
where
    F: Fn(AppState) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<JobError>,
{
    job_of_run(name, cadence, state, move |state, _| work(state))
}

/// One that has to know for when it is done.
fn job_of_run<F, R, E>(name: &'static str, cadence: Cadence, state: &AppState, work: F) -> Job
where
    F: Fn(AppState, Run) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<JobError>,
{
    let state = state.clone();
    Job::new(name, cadence, move |run| work(state.clone(), run))
}
