//! What can keep a payout from being made, changed or paid.

use bus::BusError;
use domain::Amount;
use domain::payout::{PolicyError, QuoteError, Refused};
use ledger::LedgerError;
use sea_orm::DbErr;

/// Why it was refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum PayoutError {
    /// There is no such payout.
    #[error("there is no such payout")]
    NotFound,
    /// The influencer has a payout that is not over.
    #[error("the influencer has an open payout")]
    AlreadyOpen,
    /// Less than the minimum, which is given, or nothing would be left of it.
    #[error("{reason}; the minimum is {minimum}")]
    TooSmall {
        /// Which of the two.
        reason: QuoteError,
        /// Of the policy in force.
        minimum: Amount,
    },
    /// Nothing here pays by this method.
    #[error("this method is not available")]
    MethodUnavailable,
    /// The payout's state does not admit it.
    #[error(transparent)]
    State(#[from] Refused),
    /// Nobody approves a payout to oneself.
    #[error("another person has to approve this")]
    OwnApproval,
    /// Terms that cannot be.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The ledger refused.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The event could not be published.
    #[error(transparent)]
    Bus(BusError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl From<BusError> for PayoutError {
    fn from(error: BusError) -> Self {
        match error {
            BusError::Database(error) => Self::Database(error),
            other => Self::Bus(other),
        }
    }
}

impl PayoutError {
    /// Whether the payout itself is why it cannot be paid now, so that others are not affected: to be tried later.
    pub(crate) const fn is_of_this_one(&self) -> bool {
        matches!(
            self,
            Self::State(_)
                | Self::AlreadyOpen
                | Self::TooSmall { .. }
                | Self::MethodUnavailable
                | Self::Ledger(LedgerError::Frozen | LedgerError::InsufficientFunds)
        )
    }

    /// Whether the transaction may be run again from its start.
    pub(crate) fn is_contention(&self) -> bool {
        match self {
            Self::Ledger(error) => error.is_contention(),
            Self::Database(error) | Self::Bus(BusError::Database(error)) => {
                ledger::is_contention(error)
            }
            _ => false,
        }
    }
}
