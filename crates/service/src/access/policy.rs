//! The rules a route can have.

use crate::limit::RateClass;

/// What a user may be, beyond being signed in. The database decides; the token's `roles` are a hint for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Has an influencer profile.
    Influencer,
    /// Runs the platform: keys, incidents.
    Operator,
    /// Decides about people and money. May do what an operator may.
    Admin,
}

impl Role {
    /// The name in `users.roles`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Influencer => "influencer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// Whether someone with `roles` has this one.
    pub fn is_among<T: AsRef<str>>(self, roles: &[T]) -> bool {
        let has = |role: Self| roles.iter().any(|name| name.as_ref() == role.as_str());
        has(self) || (self == Self::Operator && has(Self::Admin))
    }
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Anyone.
    Public,
    /// Anyone who is signed in; the route touches nothing but the caller's own.
    User,
    /// Anyone who is signed in, and the object that the path names is the caller's: somebody else's is not found.
    Owner,
    /// Anyone who is signed in and is the user that the path names, or an admin; the handler looks, and refuses
    /// everybody else with 403.
    SelfOrAdmin,
    /// Anyone who is signed in and has the role now, by the database.
    Role(Role),
    /// A part of the platform or an integrator, by shared secret: the handler takes a
    /// [`SignedCaller`](crate::hmac::SignedCaller).
    Service,
}

impl Policy {
    /// The name in the documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::User => "user",
            Self::Owner => "owner",
            Self::SelfOrAdmin => "self-or-admin",
            Self::Role(role) => role.as_str(),
            Self::Service => "service",
        }
    }

    /// Whether an access token is needed.
    pub const fn needs_token(self) -> bool {
        matches!(
            self,
            Self::User | Self::Owner | Self::SelfOrAdmin | Self::Role(_)
        )
    }
}

/// What has to hold before a route's handler runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Who may call it.
    pub policy: Policy,
    /// How often.
    pub class: RateClass,
    /// Whether the session's end must be known at once, from the database, and not within two seconds.
    pub fresh: bool,
}

impl Rule {
    /// `policy`, as often as `class` admits.
    pub const fn new(policy: Policy, class: RateClass) -> Self {
        Self {
            policy,
            class,
            fresh: false,
        }
    }

    /// Anyone.
    pub const fn public(class: RateClass) -> Self {
        Self::new(Policy::Public, class)
    }

    /// Anyone who is signed in.
    pub const fn user(class: RateClass) -> Self {
        Self::new(Policy::User, class)
    }

    /// Whose the object in the path is.
    pub const fn owner(class: RateClass) -> Self {
        Self::new(Policy::Owner, class)
    }

    /// The user in the path, or an admin.
    pub const fn self_or_admin(class: RateClass) -> Self {
        Self::new(Policy::SelfOrAdmin, class)
    }

    /// Anyone with `role`.
    pub const fn role(role: Role, class: RateClass) -> Self {
        Self::new(Policy::Role(role), class)
    }

    /// Who signs with a shared secret.
    pub const fn service() -> Self {
        Self::new(Policy::Service, RateClass::Unlimited)
    }

    /// Whether the database has to be asked before the handler runs.
    pub(crate) const fn asks_database(self) -> bool {
        self.fresh || matches!(self.policy, Policy::Role(_))
    }

    /// For what moves money or changes who someone is: a session that was ended a moment ago is refused, and when
    /// that cannot be found out the answer is 503 `auth.revocation_unknown`.
    #[must_use]
    pub const fn fresh(mut self) -> Self {
        self.fresh = true;
        self
    }
}
