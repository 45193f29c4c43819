//! `down`.

use crate::platform::{Lock, Record, stop_recorded};
use crate::{CtlError, Paths, ui};
use stack::StopSignal;
use std::time::Duration;

/// Stops everything that runs. Data and logs stay.
pub fn run(paths: &Paths) -> Result<bool, CtlError> {
    if let Some(owner) = Record::load(paths).and_then(|record| record.owner) {
        // It stops its own processes, in order.
        owner.stop(StopSignal::Term, Duration::from_mins(1));
    }
    let _lock = Lock::take(paths)?;
    let Some(record) = Record::load(paths) else {
        ui::say("nothing is running");
        return Ok(true);
    };
    let stopped = stop_recorded(&record);
    Record::remove(paths)?;
    if stopped.is_empty() {
        ui::say("nothing is running");
    } else {
        let names: Vec<&str> = stopped.iter().map(|part| part.name()).collect();
        ui::say(&format!("stopped {}", names.join(", ")));
    }
    Ok(true)
}
