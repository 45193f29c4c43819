//! Doing something for many, each in a transaction of its own: one for whom it cannot be done keeps nobody else waiting.

use crate::PayoutError;
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait as _,
};
use uuid::Uuid;

/// What another has locked is left for the next run rather than waited for.
const LIMITS: &str = "SET LOCAL lock_timeout = '1s'";

/// Begins the transaction of one of them.
pub(crate) async fn begin(database: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let tx = database.begin().await?;
    tx.execute_unprepared(LIMITS).await?;
    Ok(tx)
}

/// How it went until now.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    done: u32,
    failed: u32,
}

impl Sweep {
    /// Notes how it went with `id`; an error if there is no point in going on.
    pub(crate) fn note(
        &mut self,
        id: Uuid,
        outcome: Result<bool, PayoutError>,
    ) -> Result<(), PayoutError> {
        match outcome {
            Ok(done) => self.done = self.done.saturating_add(u32::from(done)),
            Err(error) if error.is_of_all() => return Err(error),
            Err(error) if error.is_refusal() => {
                tracing::info!(%id, cause = %error, "cannot be done now and is passed over");
            }
            Err(error) => {
                self.failed = self.failed.saturating_add(1);
                tracing::error!(%id, cause = %error, "failed and is passed over");
            }
        }
        Ok(())
    }

    /// How many were done; an error if others should have been too.
    pub(crate) const fn end(self) -> Result<u32, PayoutError> {
        match self {
            Self { done, failed: 0 } => Ok(done),
            Self { done, failed } => Err(PayoutError::PassedOver { done, failed }),
        }
    }
}
