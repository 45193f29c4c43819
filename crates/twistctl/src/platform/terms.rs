//! The terms of payouts on this machine: earnings are not held, so that a payout can be tried without waiting a week.

use crate::{CtlError, commands};
use domain::payout::Policy;
use payouts::{Actor, append, current};
use sea_orm::{ConnectOptions, Database, TransactionTrait as _};

/// Who set the terms that every platform begins with.
const FIRST: &str = "platform";

/// Puts the terms of the local platform in force, unless somebody has set others already.
pub(super) fn set(owner_url: String) -> Result<(), CtlError> {
    // The caller may be within a runtime, where another cannot be waited for.
    std::thread::scope(|scope| {
        let work = scope.spawn(|| commands::runtime()?.block_on(put_in_force(owner_url)));
        work.join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

async fn put_in_force(owner_url: String) -> Result<(), CtlError> {
    let mut options = ConnectOptions::new(owner_url);
    options.max_connections(1).sqlx_logging(false);
    let database = Database::connect(options).await?;
    let tx = database.begin().await?;
    let terms = current(&tx).await?;
    if terms.actor == FIRST {
        let unheld = |now: &Policy| {
            Policy::new(
                now.minimum(),
                now.platform_fee_bps(),
                now.processing_fee(),
                now.approval_limit(),
                0,
            )
        };
        let by = Actor::Job("twist-up");
        let reason = "a local platform holds no earnings";
        append(&tx, unheld, &by, reason).await.map_err(failed)?;
    }
    // Closing waits for the transaction's connection.
    tx.commit().await?;
    database.close().await?;
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> CtlError {
    CtlError::Help(format!("the terms of payouts cannot be set: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::TestDb;

    #[tokio::test]
    async fn a_local_platform_holds_nothing_and_keeps_what_somebody_has_set() {
        let test = TestDb::new().await;
        let db = test.connect().await;
        let first = current(&db).await.unwrap();
        assert_eq!(first.actor, FIRST);
        for _ in 0..2 {
            set(test.owner_url.clone()).unwrap();
        }
        let terms = current(&db).await.unwrap();
        assert_eq!(terms.policy.holding_seconds(), 0);
        assert_eq!(terms.policy.minimum(), first.policy.minimum());
        let by = Actor::Job("tests");
        let tx = db.begin().await.unwrap();
        let as_at_first = |_: &Policy| Ok(first.policy);
        let own = append(&tx, as_at_first, &by, "a test").await.unwrap();
        tx.commit().await.unwrap();
        set(test.owner_url.clone()).unwrap();
        assert_eq!(current(&db).await.unwrap(), own);
    }
}
