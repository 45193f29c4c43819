//! The limits of a configuration.

use super::RateClass;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64")]
pub struct Number<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Number<MIN, MAX> {
    /// The number, in any type that holds it.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// `value`, or the nearest that is allowed.
    pub const fn clamped(value: u32) -> Self {
        if value < MIN {
            Self(MIN)
        } else if value > MAX {
            Self(MAX)
        } else {
            Self(value)
        }
    }
}

impl<const MIN: u32, const MAX: u32> TryFrom<u64> for Number<MIN, MAX> {
    type Error = String;

    fn try_from(value: u64) -> Result<Self, String> {
        u32::try_from(value)
            .ok()
            .filter(|value| (MIN..=MAX).contains(value))
            .map(Self)
            .ok_or_else(|| format!("must be {MIN} to {MAX}"))
    }
}

impl<const MIN: u32, const MAX: u32> JsonSchema for Number<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Number{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

const DAY: u32 = 86_400;
const MILLION: u32 = 1_000_000;

/// A limit of one class. What is left out is as in the class's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitConfig {
    /// Requests of one caller in a period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Number<1, MILLION>>,
    /// The period, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_seconds: Option<Number<1, DAY>>,
    /// If more than 0, a caller over the limit is refused for so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_seconds: Option<Number<0, DAY>>,
}

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests in a period.
    pub limit: u32,
    /// The period.
    pub period: Duration,
    /// How long a caller over the limit is refused; zero: until there is room again.
    pub block: Duration,
}

/// Limits by class, each for one caller: the user when the route needs a token, else the network address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RateLimits {
    /// Nonces and signatures, by address.
    pub sign_in: LimitConfig,
    /// Nonces for one wallet.
    pub nonce_per_wallet: LimitConfig,
    /// Refreshing and ending sessions.
    pub session: LimitConfig,
    /// Reading.
    pub read: LimitConfig,
    /// Changing what is one's own.
    pub write: LimitConfig,
    /// Registering devices and linking wallets.
    pub registration: LimitConfig,
    /// Moving money.
    pub money: LimitConfig,
    /// What operators and admins do.
    pub operate: LimitConfig,
}

impl Default for RateLimits {
    fn default() -> Self {
        let of = |class| LimitConfig::from(default_of(class));
        Self {
            sign_in: of(RateClass::SignIn),
            nonce_per_wallet: of(RateClass::NoncePerWallet),
            session: of(RateClass::Session),
            read: of(RateClass::Read),
            write: of(RateClass::Write),
            registration: of(RateClass::Registration),
            money: of(RateClass::Money),
            operate: of(RateClass::Operate),
        }
    }
}

impl RateLimits {
    /// Every class with `limit` requests a minute: for tests of something else.
    pub fn per_minute(limit: u32) -> Self {
        let every = LimitConfig::from(RateLimit {
            limit,
            period: Duration::from_mins(1),
            block: Duration::ZERO,
        });
        Self {
            sign_in: every,
            nonce_per_wallet: every,
            session: every,
            read: every,
            write: every,
            registration: every,
            money: every,
            operate: every,
        }
    }

    /// The limit of `class`, if it has one.
    pub fn of(&self, class: RateClass) -> Option<RateLimit> {
        let set = match class {
            RateClass::Unlimited => return None,
            RateClass::SignIn => self.sign_in,
            RateClass::NoncePerWallet => self.nonce_per_wallet,
            RateClass::Session => self.session,
            RateClass::Read => self.read,
            RateClass::Write => self.write,
            RateClass::Registration => self.registration,
            RateClass::Money => self.money,
            RateClass::Operate => self.operate,
        };
        let default = default_of(class);
        let seconds = |number: u32| Duration::from_secs(u64::from(number));
        Some(RateLimit {
            limit: set.limit.map_or(default.limit, Number::get),
            period: set
                .period_seconds
                .map_or(default.period, |number| seconds(number.get())),
            block: set
                .block_seconds
                .map_or(default.block, |number| seconds(number.get())),
        })
    }
}

impl From<RateLimit> for LimitConfig {
    fn from(limit: RateLimit) -> Self {
        let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        Self {
            limit: Some(Number::clamped(limit.limit)),
            period_seconds: Some(Number::clamped(seconds(limit.period))),
            block_seconds: Some(Number::clamped(seconds(limit.block))),
        }
    }
}

const fn default_of(class: RateClass) -> RateLimit {
    let (limit, block) = match class {
        RateClass::SignIn => (120, 600),
        RateClass::NoncePerWallet => (5, 0),
        RateClass::Read => (6_000, 0),
        RateClass::Write => (600, 0),
        RateClass::Registration => (10, 0),
        RateClass::Unlimited | RateClass::Session | RateClass::Money | RateClass::Operate => {
            (60, 0)
        }
    };
    RateLimit {
        limit,
        period: Duration::from_mins(1),
        block: Duration::from_secs(block),
    }
}
