//! The fixed set of limits.

/// What kind of use a route is. Each has one limit, for each caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RateClass {
    /// Never limited: what machines ask all day, and what is limited by other means.
    Unlimited,
    /// Nonces and signatures, by address.
    SignIn,
    /// Nonces for one wallet.
    NoncePerWallet,
    /// Refreshing and ending sessions.
    Session,
    /// Reading.
    Read,
    /// Changing what is one's own.
    Write,
    /// Registering devices and linking wallets.
    Registration,
    /// Moving money. Refused while Redis does not answer, so that no limit is ever exceeded.
    Money,
    /// What operators and admins do.
    Operate,
}

impl RateClass {
    /// Every class.
    pub const ALL: [Self; 9] = [
        Self::Unlimited,
        Self::SignIn,
        Self::NoncePerWallet,
        Self::Session,
        Self::Read,
        Self::Write,
        Self::Registration,
        Self::Money,
        Self::Operate,
    ];

    /// Its name in headers, metrics and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unlimited => "unlimited",
            Self::SignIn => "sign_in",
            Self::NoncePerWallet => "nonce_per_wallet",
            Self::Session => "session",
            Self::Read => "read",
            Self::Write => "write",
            Self::Registration => "registration",
            Self::Money => "money",
            Self::Operate => "operate",
        }
    }
}
