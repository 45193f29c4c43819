//! The rules by name, and what follows from each.

use contracts::Code;
use std::collections::BTreeSet;

/// What happens to a request that a rule holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It has to show first that its sender is no machine that does this all day.
    Challenge,
    /// It waits.
    RateLimit,
    /// It comes from where we may not serve.
    GeoBlock,
    /// It is refused.
    Block,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident = $id:literal, $action:ident, $code:ident;)*) => {
        /// A rule of the firewall.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $($(#[$doc])* $rule,)* }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$rule,)*];

            /// Its stable name.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$rule => $id,)* }
            }

            /// What follows from it.
            pub const fn action(self) -> Action {
                match self { $(Self::$rule => Action::$action,)* }
            }

            /// The code of the answer.
            pub const fn code(self) -> Code {
                match self { $(Self::$rule => Code::$code,)* }
            }
        }
    };
}

rules! {
    /// A value that changes the shape of an SQL statement.
    SqlInjection = "sql-injection", Block, FirewallBlocked;
    /// A value that a page would run.
    XssAttempt = "xss-attempt", Block, FirewallBlocked;
    /// A path out of its folder.
    PathTraversal = "path-traversal", Block, FirewallBlocked;
    /// A value that a shell or a template would run.
    CommandInjection = "command-injection", Block, FirewallBlocked;
    /// Claims to be another address.
    RateLimitBypass = "rate-limit-bypass", Challenge, ChallengeRequired;
    /// A scanner, or a crawler that nobody knows.
    SuspiciousUa = "suspicious-ua", Challenge, ChallengeRequired;
    /// A body over the limit.
    LargeBody = "large-body", Block, RequestTooLarge;
    /// A body that is not the JSON it is said to be.
    MalformedJson = "malformed-json", Block, RequestMalformed;
    /// A value that changes the shape of an LDAP filter.
    LdapInjection = "ldap-injection", Block, FirewallBlocked;
    /// Entities and includes.
    XmlInjection = "xml-injection", Block, FirewallBlocked;
    /// Operators of a document database.
    NosqlInjection = "nosql-injection", Block, FirewallBlocked;
    /// A body with two ends.
    ProtocolSmuggling = "protocol-smuggling", Block, RequestMalformed;
    /// A line break in a head.
    HeaderInjection = "header-injection", Block, FirewallBlocked;
    /// A program as an upload.
    SuspiciousUpload = "suspicious-upload", Block, FirewallBlocked;
    /// A country that we may not serve.
    GeoBlock = "geo-block", GeoBlock, GeoBlocked;
}

impl Rule {
    /// The rule with this name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.id() == id)
    }
}

/// Where in a request a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The path.
    Path,
    /// A name or value of the query.
    Query,
    /// A header.
    Header,
    /// A name or text of the body.
    Body,
    /// What a site wrote about itself.
    Payload,
}

impl Place {
    /// A short stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Body => "body",
            Self::Payload => "payload",
        }
    }
}

/// A rule that holds, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Which.
    pub rule: Rule,
    /// Where.
    pub place: Place,
}

/// Rules that are watched and not enforced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shadow(BTreeSet<Rule>);

impl Shadow {
    /// These rules.
    pub fn of(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self(rules.into_iter().collect())
    }

    /// Whether the rule is only watched.
    pub fn covers(&self, rule: Rule) -> bool {
        self.0.contains(&rule)
    }

    /// The hit that decides: of those that are enforced, the one with the gravest action.
    pub fn decide(&self, hits: &[Hit]) -> Option<Hit> {
        let enforced = hits.iter().filter(|hit| !self.covers(hit.rule));
        enforced.copied().max_by_key(|hit| hit.rule.action())
    }
}
