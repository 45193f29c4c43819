//! One file for each subcommand.

pub mod audit;
pub mod budgets;
pub mod build;
pub mod dlq;
pub mod doctor;
pub mod down;
pub mod edge;
pub mod keygen;
pub mod keys;
pub mod ledger;
pub mod manifest;
pub mod sbom;
pub mod sign;
pub mod smoke;
pub mod status;
pub mod test;
pub mod up;
pub mod verify;

use crate::platform::Record;
use crate::{CtlError, Paths};

/// The record of a platform that runs.
fn running(paths: &Paths) -> Result<Record, CtlError> {
    Record::load(paths)
        .filter(|record| record.parts.values().any(|part| part.identity.is_alive()))
        .ok_or_else(|| {
            CtlError::Help("the platform is not running; ./twist up --detach starts it".into())
        })
}

/// For the commands that talk to servers.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, CtlError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(CtlError::io(
            "start threads for",
            std::path::Path::new("twist"),
        ))
}
