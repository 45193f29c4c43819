//! Gauges of what waits and of what was found, read from the database: the same on every instance, whichever did the
//! work.

use crate::jobs::check::{self, Verdict};
use crate::metrics::{BROKEN, CHECK_AGE, SEAL_LAG, UNSEALED, gauge};
use crate::state::AppState;
use crate::task::{Task, TaskError};
use bus::Stop;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

pub(crate) fn task(state: &AppState) -> Task {
    let (state, ages) = (state.clone(), Arc::new(Ages::new()));
    Task::new("observer", move |stop| {
        run(state.clone(), Arc::clone(&ages), stop)
    })
}

async fn run(state: AppState, ages: Arc<Ages>, stop: Stop) -> Result<(), TaskError> {
    while !stop.is_asked() {
        // Before the database is asked: they grow also while it does not answer.
        ages.show();
        let verdicts = check::last(&state.db).await?;
        ages.learn(&verdicts);
        ages.show();
        for verdict in verdicts {
            metrics::gauge!(BROKEN, "invariant" => verdict.invariant).set(gauge(verdict.broken));
        }
        bus::observe(&state.db).await?;
        let lag = ledger::chain::lag(&state.db).await?;
        metrics::gauge!(UNSEALED).set(gauge(lag.unsealed));
        metrics::gauge!(SEAL_LAG).set(lag.oldest.as_secs_f64());
        stop.sleep(state.config.observe_pause()).await;
    }
    Ok(())
}

/// How old the verdicts are, as far as this instance knows. Without one the age is that of the instance.
struct Ages {
    started: Instant,
    /// The age of each, and when it was that.
    known: Mutex<BTreeMap<String, (Duration, Instant)>>,
}

impl Ages {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            known: Mutex::default(),
        }
    }

    fn learn(&self, verdicts: &[Verdict]) {
        let now = Instant::now();
        let ages = verdicts.iter();
        let ages = ages.map(|verdict| (verdict.invariant.clone(), (verdict.age, now)));
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = ages.collect();
    }

    fn show(&self) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for name in check::names() {
            let age = match known.get(name) {
                Some((age, then)) => age.saturating_add(then.elapsed()),
                None => self.started.elapsed(),
            };
            metrics::gauge!(CHECK_AGE, "invariant" => name).set(age.as_secs_f64());
        }
    }
}
