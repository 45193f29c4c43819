//! The states of a payout and the changes between them.

/// Declares an enum whose variants are stored as words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Each one.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As stored and as on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The one with this word.
            pub fn from_text(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }
    };
}

words! {
    /// Where a payout is, exactly.
    State {
        /// Asked for; its money is set aside.
        Requested = "requested",
        /// Kept back while somebody looks into it.
        Held = "held",
        /// May be paid.
        Approved = "approved",
        /// Part of a batch that is being made.
        Batched = "batched",
        /// A transaction that pays it is signed; from here on it cannot be called off.
        Signed = "signed",
        /// That transaction was sent.
        Submitted = "submitted",
        /// It was seen on chain, and may still vanish.
        Confirmed = "confirmed",
        /// Paid, for good.
        Finalized = "finalized",
        /// Called off by the payee.
        Cancelled = "cancelled",
        /// Turned down by a person.
        Rejected = "rejected",
        /// Could not be paid, and that no money moved is proven.
        Failed = "failed",
        /// Whether money moved cannot be said; nothing is sent again until it can.
        Unknown = "unknown",
    }
}

words! {
    /// Where a payout is, in the words of version 1 of the API.
    Status {
        /// Not under way yet.
        Pending = "pending",
        /// Under way; cannot be called off.
        Processing = "processing",
        /// Paid.
        Completed = "completed",
        /// Turned down or failed.
        Failed = "failed",
        /// Called off.
        Cancelled = "cancelled",
    }
}

words! {
    /// Where one attempt at paying is. A payout has at most one that is not over.
    AttemptState {
        /// Signed and stored, so that a crash cannot lose what may have been sent.
        Signed = "signed",
        /// Sent.
        Submitted = "submitted",
        /// Seen, not final.
        Confirmed = "confirmed",
        /// Final.
        Finalized = "finalized",
        /// Proven to be dead: it can never take effect.
        Expired = "expired",
        /// Refused, and that no money moved is proven.
        Failed = "failed",
        /// Neither can be proven.
        Unknown = "unknown",
    }
}

/// What can happen to a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// It may be paid: the policy or a second person says so.
    Approve,
    /// It is kept back.
    Hold,
    /// It is kept back no longer.
    Release,
    /// The ledger paid it: one step, which cannot be half done.
    Pay,
    /// It becomes part of a batch.
    Batch,
    /// A transaction for it is signed and stored.
    Sign,
    /// That was sent.
    Submit,
    /// That was seen on chain.
    Confirm,
    /// That is final.
    Finalize,
    /// The signed transaction is proven to be dead: it may be paid anew.
    Expire,
    /// It is proven that no money moved, and it is not tried again.
    Fail,
    /// Whether money moved can no longer be said.
    LoseTrack,
    /// The payee calls it off.
    Cancel,
    /// A person turns it down.
    Reject,
}

impl Change {
    /// Each one.
    pub const ALL: &[Self] = &[
        Self::Approve,
        Self::Hold,
        Self::Release,
        Self::Pay,
        Self::Batch,
        Self::Sign,
        Self::Submit,
        Self::Confirm,
        Self::Finalize,
        Self::Expire,
        Self::Fail,
        Self::LoseTrack,
        Self::Cancel,
        Self::Reject,
    ];
}

/// A change that a state does not admit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a payout that is {} does not admit this", state.as_str())]
pub struct Refused {
    /// The state.
    pub state: State,
    /// The change.
    pub change: Change,
}

impl State {
    /// The state after `change`.
    ///
    /// # Errors
    /// When the state does not admit it.
    pub const fn after(self, change: Change) -> Result<Self, Refused> {
        use State::{
            Approved, Batched, Cancelled, Confirmed, Failed, Finalized, Held, Rejected, Requested,
            Signed, Submitted, Unknown,
        };
        let next = match (change, self) {
            (Change::Hold, Requested | Approved) => Held,
            (Change::Release, Held) => Requested,
            (Change::Approve, Requested) | (Change::Expire, Signed | Submitted) => Approved,
            (Change::Batch, Approved) => Batched,
            (Change::Sign, Approved | Batched) => Signed,
            (Change::Submit, Signed) => Submitted,
            (Change::Confirm, Signed | Submitted) => Confirmed,
            (Change::Pay, Approved)
            | (Change::Finalize, Signed | Submitted | Confirmed | Unknown) => Finalized,
            (Change::Fail, Approved | Batched | Signed | Submitted | Unknown) => Failed,
            (Change::LoseTrack, Signed | Submitted | Confirmed) => Unknown,
            // What is kept back is not the payee's to free.
            (Change::Cancel, Requested | Approved | Batched) => Cancelled,
            (Change::Reject, Requested | Held | Approved | Batched) => Rejected,
            (_, state) => return Err(Refused { state, change }),
        };
        Ok(next)
    }

    /// Whether nothing can happen to it any more. Else its money is set aside, and it is the influencer's one open
    /// payout.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Finalized | Self::Cancelled | Self::Rejected | Self::Failed
        )
    }

    /// The state in the words of version 1 of the API.
    pub const fn status(self) -> Status {
        match self {
            Self::Requested | Self::Held | Self::Approved => Status::Pending,
            Self::Batched | Self::Signed | Self::Submitted | Self::Confirmed | Self::Unknown => {
                Status::Processing
            }
            Self::Finalized => Status::Completed,
            Self::Cancelled => Status::Cancelled,
            Self::Rejected | Self::Failed => Status::Failed,
        }
    }
}

impl Status {
    /// The states that are called so.
    pub fn states(self) -> impl Iterator<Item = State> {
        let all = State::ALL.iter().copied();
        all.filter(move |state| state.status() == self)
    }
}

impl AttemptState {
    /// Whether the attempt can have no effect, or no other effect, any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Finalized | Self::Expired | Self::Failed)
    }
}
