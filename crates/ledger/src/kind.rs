//! What transactions are for.

/// Declares [`TxKind`] and how each kind is stored.
macro_rules! tx_kinds {
    ($($(#[$doc:meta])* $kind:ident = $word:literal,)*) => {
        /// What a transaction is for. The words are stored: one is never changed or used for another thing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum TxKind {
            $($(#[$doc])* $kind,)*
        }

        impl TxKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// As stored.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }
        }
    };
}

tx_kinds! {
    /// The reward of one VAU.
    VauReward = "vau_reward",
    /// A user's available balance went into a pool.
    StakeDeposited = "stake_deposited",
    /// A user's stake went back to the available balance.
    StakeWithdrawn = "stake_withdrawn",
    /// A pool was given something to distribute.
    RewardsFunded = "rewards_funded",
    /// A user took a share of what a pool distributed.
    RewardsClaimed = "rewards_claimed",
    /// An operator brought money in from outside.
    OperatorDeposit = "operator_deposit",
    /// An influencer earned a commission, still inside the holding period.
    CommissionEarned = "commission_earned",
    /// A commission passed its holding period.
    CommissionReleased = "commission_released",
    /// Money is kept back from an influencer.
    CommissionHeld = "commission_held",
    /// What was kept back is the influencer's again.
    CommissionUnheld = "commission_unheld",
    /// Money is set aside for a payout.
    PayoutRequested = "payout_requested",
    /// An approved payout is carried out: what was set aside is booked.
    PayoutApproved = "payout_approved",
    /// A payout is on its way on chain.
    PayoutSubmitted = "payout_submitted",
    /// A payout arrived.
    PayoutPaid = "payout_paid",
    /// A payout was called off by who asked for it.
    PayoutCancelled = "payout_cancelled",
    /// A payout was turned down.
    PayoutRejected = "payout_rejected",
    /// A payout failed, and that no money moved is proven.
    PayoutFailed = "payout_failed",
    /// A transaction that was pending ran out of time.
    PendingExpired = "pending_expired",
    /// The opposite of an earlier transaction.
    Reversal = "reversal",
    /// A difference between the books and the chain.
    Reconciliation = "reconciliation",
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_kinds_are_stored_alike() {
        let words: BTreeSet<_> = TxKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(words.len(), TxKind::ALL.len());
        assert!(
            words
                .iter()
                .all(|w| w.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        );
    }
}
