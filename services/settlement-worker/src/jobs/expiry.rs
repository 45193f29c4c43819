//! Voiding pending transactions whose time is over.

use crate::metrics::EXPIRED;
use crate::state::AppState;
use failpoint::Point;
use ledger::{LedgerError, phase};
use sea_orm::TransactionTrait as _;

pub(super) async fn run(state: AppState) -> Result<(), LedgerError> {
    loop {
        let transaction = state.db.begin().await?;
        let voided = phase::expire_due(&transaction, state.config.expiry.batch).await?;
        if voided.is_empty() {
            transaction.rollback().await?;
            return Ok(());
        }
        failpoint::here(Point::ExpiryBeforeCommit);
        transaction.commit().await?;
        failpoint::here(Point::ExpiryAfterCommit);
        let count = u64::try_from(voided.len()).unwrap_or(u64::MAX);
        metrics::counter!(EXPIRED).increment(count);
        tracing::info!(count, "pending transactions have expired");
    }
}
