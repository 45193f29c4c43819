//! Paying a payout as soon as it is approved. The sweep pays what this one could not.

use crate::adapter::SettlementAdapter;
use crate::{PayoutError, settle};
use bus::{BusError, Envelope, Fact as _, Handler, HandlerError, Topic};
use contracts::event::PayoutApproved;
use failpoint::Point;
use ledger::LedgerError;
use sea_orm::{DatabaseTransaction, TransactionTrait as _};

/// Pays approved payouts by an adapter.
#[derive(Debug, Clone, Copy)]
pub struct Settler<A> {
    adapter: A,
}

impl<A: SettlementAdapter> Settler<A> {
    /// One that pays by `adapter`.
    pub const fn new(adapter: A) -> Self {
        Self { adapter }
    }
}

impl<A: SettlementAdapter> Handler for Settler<A> {
    fn name(&self) -> &'static str {
        "payout-settler"
    }

    fn topics(&self) -> Vec<Topic> {
        vec![PayoutApproved::TOPIC]
    }

    async fn handle(
        &self,
        transaction: &DatabaseTransaction,
        event: &Envelope,
    ) -> Result<(), HandlerError> {
        let PayoutApproved(fact) = event.fact()?;
        // What fails inside leaves the transaction of the event of use.
        let attempt = transaction.begin().await?;
        match settle::one_now(&attempt, &self.adapter, fact.payout_id).await {
            Ok(_) => attempt.commit().await?,
            // Paid, called off or held meanwhile, or something that the sweep will try again: no reason to deliver the
            // event again.
            Err(error) if error.is_refusal() => {
                attempt.rollback().await?;
                tracing::info!(payout = %fact.payout_id, cause = %error, "not paid by its event");
            }
            Err(
                PayoutError::Database(error)
                | PayoutError::Ledger(LedgerError::Database(error))
                | PayoutError::Bus(BusError::Database(error)),
            ) => return Err(error.into()),
            Err(other) => return Err(HandlerError::Failed(other.to_string())),
        }
        failpoint::here(Point::PayoutHandled);
        Ok(())
    }
}
