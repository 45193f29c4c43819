//! What can keep a payout from being made, changed or paid.

use bus::BusError;
use domain::Amount;
use domain::payout::{PolicyError, QuoteError, Refused};
use ledger::LedgerError;
use sea_orm::DbErr;
use service::db::is_unavailable;

/// Why it was refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum PayoutError {
    /// There is no such payout.
    #[error("there is no such payout")]
    NotFound,
    /// The influencer has a payout that is not over.
    #[error("the influencer has an open payout")]
    AlreadyOpen,
    /// The id of the request is that of another one.
    #[error("another payout was asked for under the same id")]
    OtherRequest,
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
    /// Of many, some could not be done for a reason that needs looking into.
    #[error("{failed} failed and were passed over; {done} were done")]
    PassedOver {
        /// Those that were done.
        done: u32,
        /// Those that were not.
        failed: u32,
    },
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
    /// Whether it cannot be done now for a reason that somebody knows of, and nothing is wrong: to be tried later.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::State(_)
                | Self::AlreadyOpen
                | Self::OtherRequest
                | Self::TooSmall { .. }
                | Self::MethodUnavailable
                | Self::Ledger(LedgerError::Frozen | LedgerError::InsufficientFunds)
        )
    }

    /// Whether nobody else fares better now: the database cannot be used. That something was locked for too long, or took
    /// too long, or had to give way, says nothing of others.
    pub(crate) fn is_of_all(&self) -> bool {
        self.of_database().is_some_and(|error| {
            is_unavailable(error) && !ledger::is_contention(error) && !ledger::is_timeout(error)
        })
    }

    /// What the database reported, whoever asked it.
    pub(crate) const fn of_database(&self) -> Option<&DbErr> {
        match self {
            Self::Ledger(LedgerError::Database(error))
            | Self::Bus(BusError::Database(error))
            | Self::Database(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::RuntimeErr;

    #[test]
    fn only_a_database_that_is_away_is_why_nobody_else_can_be_served() {
        let gone = || DbErr::Conn(RuntimeErr::Internal("gone".to_owned()));
        let odd = || DbErr::Type("a row that cannot be read".to_owned());
        for error in [
            PayoutError::Database(gone()),
            PayoutError::Ledger(LedgerError::Database(gone())),
            PayoutError::Bus(BusError::Database(gone())),
        ] {
            assert!(error.is_of_all() && !error.is_refusal(), "{error:?}");
        }
        for error in [
            PayoutError::Database(odd()),
            PayoutError::Ledger(LedgerError::Database(odd())),
            PayoutError::Ledger(LedgerError::AlreadySettled),
            PayoutError::NotFound,
        ] {
            assert!(!error.is_of_all() && !error.is_refusal(), "{error:?}");
        }
        let frozen = PayoutError::Ledger(LedgerError::Frozen);
        assert!(frozen.is_refusal() && !frozen.is_of_all());
    }
}
