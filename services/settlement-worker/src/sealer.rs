//! Appending committed transactions to the hash chain.

use crate::metrics::SEALED;
use crate::state::AppState;
use crate::task::{Task, TaskError};
use bus::Stop;
use failpoint::Point;
use ledger::LedgerError;
use ledger::chain;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, TransactionTrait as _};

/// Sealers wait for each other: one that hangs in the middle must not hold up the others for ever.
const LIMITS: &str = "SET LOCAL idle_in_transaction_session_timeout = '5s'";

pub(crate) fn task(state: &AppState) -> Task {
    let state = state.clone();
    Task::new("sealer", move |stop| run(state.clone(), stop))
}

async fn run(state: AppState, stop: Stop) -> Result<(), TaskError> {
    let config = &state.config.sealer;
    while !stop.is_asked() {
        let sealed = seal(&state.db, config.batch).await?;
        metrics::counter!(SEALED).increment(u64::from(sealed));
        if sealed < config.batch {
            stop.sleep(config.pause()).await;
        }
    }
    Ok(())
}

async fn seal(db: &DatabaseConnection, batch: u16) -> Result<u16, LedgerError> {
    let transaction = db.begin().await?;
    transaction.execute_unprepared(LIMITS).await?;
    let sealed = chain::seal(&transaction, batch).await?;
    if sealed > 0 {
        failpoint::here(Point::SealBeforeCommit);
    }
    transaction.commit().await?;
    if sealed > 0 {
        failpoint::here(Point::SealAfterCommit);
    }
    Ok(sealed)
}
