//! The ledger's errors on their way to the caller.

use contracts::Code;
use domain::payout::{Change, State};
use domain::staking::StakingError;
use ledger::LedgerError;
use payouts::PayoutError;
use service::ApiError;

/// What a failure of the ledger means for a caller that only reads, or that delivers VAUs: none of the
/// refusals can be the caller's doing.
pub(crate) fn from_ledger(error: LedgerError) -> ApiError {
    match error {
        LedgerError::Database(error) => error.into(),
        other => ApiError::internal(&other),
    }
}

/// What a failure of the ledger means for a caller whose money is moved.
pub(crate) fn from_ledger_to_payer(error: LedgerError) -> ApiError {
    match error {
        LedgerError::InsufficientFunds => ApiError::new(
            Code::LedgerInsufficientFunds,
            "The available balance is less than this amount.",
        )
        .with_field("/amount", "is more than the available balance"),
        LedgerError::Frozen => ApiError::of(Code::LedgerAccountFrozen),
        other => from_ledger(other),
    }
}

/// What the rules of staking refuse.
pub(crate) fn from_staking(error: StakingError) -> ApiError {
    match error {
        StakingError::InsufficientStake => ApiError::of(Code::StakeInsufficientBalance)
            .with_field("/amount", "is more than is staked"),
        StakingError::NothingToClaim => ApiError::of(Code::StakeNothingToClaim),
        StakingError::NoStakers => ApiError::of(Code::StakeNoStakers),
        StakingError::ZeroAmount => ApiError::invalid("/amount", "must be above zero"),
        StakingError::TooLarge => ApiError::invalid("/amount", "is more than the pool can count"),
        StakingError::Inconsistent => ApiError::internal(&error),
    }
}

/// What the rules of payouts refuse.
pub(crate) fn from_payouts(error: PayoutError) -> ApiError {
    match error {
        PayoutError::NotFound => ApiError::of(Code::NotFound),
        PayoutError::AlreadyOpen => ApiError::new(
            Code::PayoutAlreadyOpen,
            "There is an open payout; call it off or wait until it is over.",
        ),
        PayoutError::OtherRequest => ApiError::of(Code::IdempotencyKeyReused),
        PayoutError::TooSmall { minimum, .. } => {
            let least = minimum.to_twist_string();
            ApiError::new(
                Code::PayoutBelowMinimum,
                format!("Ask for at least {least}."),
            )
            .with_field("/amount", format!("must be at least {minimum}"))
        }
        PayoutError::MethodUnavailable => ApiError::of(Code::PayoutMethodUnavailable),
        PayoutError::State(refused) => match (refused.change, refused.state) {
            (Change::Cancel | Change::Pay, State::Held) => ApiError::of(Code::PayoutHeld),
            (Change::Cancel, _) => ApiError::of(Code::PayoutNotCancellable),
            (_, state) => ApiError::new(
                Code::PayoutStateConflict,
                format!(
                    "The payout is {}, which does not admit this.",
                    state.as_str()
                ),
            ),
        },
        PayoutError::OwnApproval => ApiError::of(Code::PayoutOwnApproval),
        PayoutError::Policy(error) => ApiError::invalid("", error.to_string()),
        PayoutError::Ledger(error) => from_ledger_to_payer(error),
        PayoutError::Database(error) => error.into(),
        PayoutError::Bus(error) => ApiError::internal(&error),
        other @ PayoutError::PassedOver { .. } => ApiError::internal(&other),
    }
}
