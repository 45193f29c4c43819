//! The list of all points.

/// Declares the points with their names.
macro_rules! points {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A place in the code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Point {
            $($(#[$doc])* $variant,)*
        }

        impl Point {
            /// Every point, so that a test can see that each has a test.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name, unique.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

points! {
    /// A request with an `Idempotency-Key` has had its effect, which is not committed.
    OnceBeforeCommit = "once.before_commit",
    /// The effect is committed, the client has no answer.
    OnceAfterCommit = "once.after_commit",
    /// The relay has locked a batch of events, none of which is in a stream.
    RelayTaken = "relay.taken",
    /// They are in the streams, and not marked.
    RelayAppended = "relay.appended",
    /// They are marked.
    RelayMarked = "relay.marked",
    /// A consumer has an event and has done nothing with it.
    ConsumerBeforeEffect = "consumer.before_effect",
    /// Its effect is made and not committed.
    ConsumerBeforeCommit = "consumer.before_commit",
    /// Its effect is committed, the stream does not know.
    ConsumerBeforeAck = "consumer.before_ack",
    /// A dead letter is written, the stream does not know.
    DeadLetterBeforeAck = "dead_letter.before_ack",
    /// A scheduler has a lease, the job has not begun.
    JobClaimed = "job.claimed",
    /// The job is done, its row does not know.
    JobBeforeFinish = "job.before_finish",
    /// Seals are made and not committed.
    SealBeforeCommit = "seal.before_commit",
    /// Seals are committed.
    SealAfterCommit = "seal.after_commit",
    /// Pending transactions are voided, which is not committed.
    ExpiryBeforeCommit = "expiry.before_commit",
    /// They are voided.
    ExpiryAfterCommit = "expiry.after_commit",
    /// A new tier and its event are written and not committed.
    TierBeforeCommit = "tier.before_commit",
    /// They are committed.
    TierAfterCommit = "tier.after_commit",
    /// A payout's row is inserted, its money is not set aside.
    PayoutRequestInserted = "payouts.request.inserted",
    /// The money of a new payout is set aside.
    PayoutRequestReserved = "payouts.request.reserved",
    /// The request is recorded, and approved if the policy does so.
    PayoutRequestRecorded = "payouts.request.recorded",
    /// What a payout had set aside is given back; its state says nothing of that yet.
    PayoutVoided = "payouts.voided",
    /// Any change of a payout's state is written, its event is not.
    PayoutChanged = "payouts.changed",
    /// A change of a payout's state and its event are written.
    PayoutRecorded = "payouts.recorded",
    /// A payout is about to be paid; its row is locked.
    PayoutSettleLocked = "payouts.settle.locked",
    /// What was set aside is booked as reserved.
    PayoutSettlePosted = "payouts.settle.posted",
    /// The payee and the fees are paid.
    PayoutSettlePaid = "payouts.settle.paid",
    /// A payout is paid and recorded in the sweep, which has not committed.
    PayoutSettleBeforeCommit = "payouts.settle.before_commit",
    /// The sweep has committed a payout.
    PayoutSettleAfterCommit = "payouts.settle.after_commit",
    /// A payout was paid because of its event, which is not noted as dealt with.
    PayoutHandled = "payouts.handled",
    /// A payout of the monthly run is made and not committed.
    PayoutAutoBeforeCommit = "payouts.auto.before_commit",
    /// A payout of the monthly run is committed, the next not begun.
    PayoutAutoAfterCommit = "payouts.auto.after_commit",
    /// An earning has become payable in the ledger, its row does not say so.
    EarningReleasePosted = "payouts.release.posted",
    /// The release of an earning is committed, the next not begun.
    EarningReleaseAfterCommit = "payouts.release.after_commit",
}
