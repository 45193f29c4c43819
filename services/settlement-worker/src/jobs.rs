//! What is done at set times, once across all instances.

pub(crate) mod check;
mod expiry;
mod sweep;
mod tiers;

use crate::state::AppState;
use crate::task::Task;
use bus::{Cadence, Job, Scheduler};

/// Every job. Its name is the row of `schedule` that says when it is due.
pub fn jobs(state: &AppState) -> Vec<Job> {
    let config = &state.config;
    vec![
        job("ledger_expiry", config.expiry.cadence(), state, expiry::run),
        job("ledger_check", config.check.cadence(), state, check::run),
        job("bus_sweep", config.sweep.cadence(), state, sweep::run),
        job("tier_sync", config.tiers.cadence(), state, tiers::run),
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
    E: Into<bus::jobs::JobError>,
{
    let state = state.clone();
    Job::new(name, cadence, move |_| work(state.clone()))
}
