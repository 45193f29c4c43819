//! The chart of accounts. An account's id follows from what it is, so that nobody has to look one up
//! before posting to it.

mod store;

pub use store::{BALANCE_SQL, balance, balance_of, open};

use uuid::Uuid;

/// The namespace of account ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x8d1c_51b2_3f0e_5c5e_9a77_0d6a_41c6_0001);

/// Accounts that many postings share are split this many ways, so that they do not queue for one row.
pub const STRIPES: u8 = 8;

/// An account of the chart. What belongs to a user, a pool or an influencer is never below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// Liability: what a user can stake or be paid.
    UserAvailable(Uuid),
    /// Liability: what a user has staked in a pool.
    UserStaked {
        /// The user's `uid`.
        user: Uuid,
        /// The pool.
        pool: Uuid,
    },
    /// Liability: what was put into a pool for those who staked there, and not claimed yet.
    PoolRewards(Uuid),
    /// Liability: what an influencer earned inside the holding period.
    InfluencerPending(Influencer),
    /// Liability: what an influencer can ask to be paid.
    InfluencerPayable(Influencer),
    /// Liability: what is set aside for an influencer's open payout.
    InfluencerReserved(Influencer),
    /// Liability: what is kept back from an influencer while fraud is looked into.
    InfluencerHeld(Influencer),
    /// Expense: what the platform has given out as rewards.
    PlatformRewards(Stripe),
    /// Income: the fees the platform has taken.
    PlatformFees(Stripe),
    /// Expense: what the platform has paid for transactions on chain.
    PlatformChainFees(Stripe),
    /// Asset: what lies in the vault on chain.
    ChainVault(Stripe),
    /// Asset: what has left the vault and is not finalized on chain.
    ChainInTransit(Stripe),
    /// What came in from outside the books, less what went out.
    ExternalWorld,
    /// A difference that a reconciliation found and nobody has explained yet.
    SuspenseReconciliation,
}

/// An influencer, and the user who is paid for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Influencer {
    /// The `uid` of the influencer's user.
    pub user: Uuid,
    /// The influencer's id.
    pub id: Uuid,
}

/// One of the parts of a shared account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stripe(u8);

impl Stripe {
    /// The stripe that `key` falls into; the same for the same key.
    pub const fn of(key: Uuid) -> Self {
        // UUIDs of version 7 share their leading bytes; the last one is random in 4, 5 and 7.
        let [.., last] = *key.as_bytes();
        Self(last % STRIPES)
    }

    /// Every stripe, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..STRIPES).map(Self)
    }
}

/// The id of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(Uuid);

impl AccountId {
    /// As stored.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for AccountId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

/// The two sides of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Raises assets and expenses.
    Debit,
    /// Raises liabilities and income.
    Credit,
}

impl Side {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debit => "debit",
            Self::Credit => "credit",
        }
    }
}

impl Account {
    /// The id, a UUID of version 5 over kind, owner, subject (if there is one) and stripe.
    pub fn id(self) -> AccountId {
        id_of(self.kind(), self.owner(), self.subject(), self.stripe())
    }

    /// The name in the chart of accounts.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::UserAvailable(_) => "user:available",
            Self::UserStaked { .. } => "user:staked",
            Self::PoolRewards(_) => "pool:rewards",
            Self::InfluencerPending(_) => "influencer:pending",
            Self::InfluencerPayable(_) => "influencer:payable",
            Self::InfluencerReserved(_) => "influencer:reserved",
            Self::InfluencerHeld(_) => "influencer:held",
            Self::PlatformRewards(_) => "platform:rewards",
            Self::PlatformFees(_) => "platform:fees",
            Self::PlatformChainFees(_) => "platform:chain_fees",
            Self::ChainVault(_) => "chain:vault",
            Self::ChainInTransit(_) => "chain:in_transit",
            Self::ExternalWorld => "external:world",
            Self::SuspenseReconciliation => "suspense:reconciliation",
        }
    }

    /// The side that raises the account's balance.
    pub const fn normal_side(self) -> Side {
        match self {
            Self::UserAvailable(_)
            | Self::UserStaked { .. }
            | Self::PoolRewards(_)
            | Self::InfluencerPending(_)
            | Self::InfluencerPayable(_)
            | Self::InfluencerReserved(_)
            | Self::InfluencerHeld(_)
            | Self::PlatformFees(_) => Side::Credit,
            Self::PlatformRewards(_)
            | Self::PlatformChainFees(_)
            | Self::ChainVault(_)
            | Self::ChainInTransit(_)
            | Self::ExternalWorld
            | Self::SuspenseReconciliation => Side::Debit,
        }
    }

    /// The user it belongs to.
    pub const fn owner(self) -> Option<Uuid> {
        match self {
            Self::UserAvailable(user) | Self::UserStaked { user, .. } => Some(user),
            Self::InfluencerPending(influencer)
            | Self::InfluencerPayable(influencer)
            | Self::InfluencerReserved(influencer)
            | Self::InfluencerHeld(influencer) => Some(influencer.user),
            _ => None,
        }
    }

    /// The pool or influencer it is about.
    pub const fn subject(self) -> Option<Uuid> {
        match self {
            Self::UserStaked { pool, .. } | Self::PoolRewards(pool) => Some(pool),
            Self::InfluencerPending(influencer)
            | Self::InfluencerPayable(influencer)
            | Self::InfluencerReserved(influencer)
            | Self::InfluencerHeld(influencer) => Some(influencer.id),
            _ => None,
        }
    }

    const fn stripe(self) -> u8 {
        match self {
            Self::PlatformRewards(stripe)
            | Self::PlatformFees(stripe)
            | Self::PlatformChainFees(stripe)
            | Self::ChainVault(stripe)
            | Self::ChainInTransit(stripe) => stripe.0,
            _ => 0,
        }
    }

    /// The lowest balance the account may have, in base units; `None` for no limit.
    const fn floor(self) -> Option<i64> {
        if self.owner().is_some() || self.subject().is_some() {
            Some(0)
        } else {
            None
        }
    }
}

/// The id of the account that is `kind` of `owner` about `subject`, in part `stripe`.
pub(crate) fn id_of(
    kind: &str,
    owner: Option<Uuid>,
    subject: Option<Uuid>,
    stripe: u8,
) -> AccountId {
    let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let owner = text(owner);
    let name = match subject {
        None => format!("{kind}|{owner}|{stripe}"),
        Some(subject) => format!("{kind}|{owner}|{subject}|{stripe}"),
    };
    AccountId(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn accounts() -> Vec<Account> {
        let ids = || (1..9u128).map(Uuid::from_u128);
        let pairs = || ids().flat_map(move |a| ids().map(move |b| (a, b)));
        let influencers = || pairs().map(|(user, id)| Influencer { user, id });
        let mut all: Vec<_> = ids().map(Account::UserAvailable).collect();
        all.extend(pairs().map(|(user, pool)| Account::UserStaked { user, pool }));
        all.extend(ids().map(Account::PoolRewards));
        all.extend(influencers().map(Account::InfluencerPending));
        all.extend(influencers().map(Account::InfluencerPayable));
        all.extend(influencers().map(Account::InfluencerReserved));
        all.extend(influencers().map(Account::InfluencerHeld));
        all.extend(Stripe::all().flat_map(|s| {
            [
                Account::PlatformRewards(s),
                Account::PlatformFees(s),
                Account::PlatformChainFees(s),
                Account::ChainVault(s),
                Account::ChainInTransit(s),
            ]
        }));
        all.extend([Account::ExternalWorld, Account::SuspenseReconciliation]);
        all
    }

    #[test]
    fn no_two_accounts_share_an_id() {
        let all = accounts();
        assert_eq!(
            all.iter().map(|a| a.id()).collect::<BTreeSet<_>>().len(),
            all.len()
        );
    }

    #[test]
    fn an_accounts_id_never_changes() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for (account, id) in [
            (
                Account::UserAvailable(a),
                "0bb6b947-f0d4-5468-bf71-21f4e470e96b",
            ),
            (
                Account::PlatformRewards(Stripe(3)),
                "4d1edd38-1910-596d-a124-82247e52cd11",
            ),
            (
                Account::UserStaked { user: a, pool: b },
                "4e434e95-3dca-57e9-a41f-ca3664f396d7",
            ),
            (
                Account::PoolRewards(b),
                "f8bc406b-fb57-5295-b562-86d0721d8bae",
            ),
            (
                Account::InfluencerReserved(Influencer { user: a, id: b }),
                "7089951e-ce83-597c-967f-f4fc1bdf8998",
            ),
            (
                Account::ExternalWorld,
                "49a51384-16ce-540d-be24-22d55fc5b6a6",
            ),
        ] {
            assert_eq!(account.id().as_uuid().to_string(), id, "{}", account.kind());
        }
    }

    #[test]
    fn what_belongs_to_somebody_cannot_be_overdrawn() {
        for account in accounts() {
            let theirs = ["user:", "pool:", "influencer:"]
                .iter()
                .any(|prefix| account.kind().starts_with(prefix));
            assert_eq!(account.floor(), theirs.then_some(0), "{}", account.kind());
        }
    }
}
