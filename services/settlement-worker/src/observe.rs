//! Gauges of what waits and of what was found, read from the database: the same on every instance, whichever did the
//! work.

use crate::jobs::check;
use crate::metrics::{BROKEN, CHECK_AGE, SEAL_LAG, UNSEALED, gauge};
use crate::state::AppState;
use crate::task::{Task, TaskError};
use bus::Stop;

pub(crate) fn task(state: &AppState) -> Task {
    let state = state.clone();
    Task::new("observer", move |stop| run(state.clone(), stop))
}

async fn run(state: AppState, stop: Stop) -> Result<(), TaskError> {
    while !stop.is_asked() {
        bus::observe(&state.db).await?;
        let lag = ledger::chain::lag(&state.db).await?;
        metrics::gauge!(UNSEALED).set(gauge(lag.unsealed));
        metrics::gauge!(SEAL_LAG).set(lag.oldest.as_secs_f64());
        for verdict in check::last(&state.db).await? {
            metrics::gauge!(BROKEN, "invariant" => verdict.invariant).set(gauge(verdict.broken));
            // All are written at once.
            metrics::gauge!(CHECK_AGE).set(verdict.age.as_secs_f64());
        }
        stop.sleep(state.config.observe_pause()).await;
    }
    Ok(())
}
