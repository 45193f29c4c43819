//! Configuration: `TWIST_AUTH__…`, see `service::config`.

mod sessions;

pub use sessions::SessionConfig;

use crate::domain::challenge::Challenger;
use crate::domain::key_life::KeyPolicy;
use crate::domain::seal::SealingKey;
use contracts::token::LEEWAY_SECONDS;
use domain::siws::SignInMessage;
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use service::config::{
    self, ConfigError, DatabaseConfig, HttpConfig, Listen, Problems, RedisConfig, Secret,
    is_http_url,
};
use service::limit::RateLimits;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;
use std::time::Duration;
use time::Duration as TimeSpan;

/// What the variables start with.
pub const PREFIX: &str = "TWIST_AUTH";

/// Everything that differs between environments.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The public routes.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Metrics and readiness detail.
    #[serde(default = "default_ops_listen")]
    pub ops_listen: SocketAddr,
    /// `PostgreSQL`.
    pub database: DatabaseConfig,
    /// Redis, for nonces.
    pub redis: RedisConfig,
    /// The exact `iss` of tokens: this service's URL.
    pub issuer: String,
    /// The host that the sign-in message names.
    pub domain: String,
    /// The URI that the sign-in message names.
    pub uri: String,
    /// For example `solana:devnet`.
    pub chain_id: String,
    /// One line for the person who signs.
    #[serde(default = "default_statement")]
    pub statement: String,
    /// Whether `POST /auth/verify` also takes the signature of `TWIST Auth Nonce: <nonce>`, as clients of the first
    /// system send it. That text names neither this site nor its purpose, so a page that a person trusts less can have
    /// it signed: leave it off unless such clients must be served.
    #[serde(default)]
    pub legacy_message: bool,
    /// How long a nonce can be used.
    #[serde(default = "default_nonce_ttl")]
    #[schemars(range(min = 1, max = 3_600))]
    pub nonce_ttl_seconds: u64,
    /// How long an access token is good.
    #[serde(default = "default_access_ttl")]
    #[schemars(range(min = 1, max = 3_600))]
    pub access_ttl_seconds: u64,
    /// How soon an instance sees a signing key that was announced, activated or retired elsewhere.
    #[serde(default = "default_key_refresh")]
    #[schemars(range(min = 1, max = 3_600))]
    pub key_refresh_seconds: u64,
    /// How long a signing key is published before it signs, so that every verifier knows it by then: at least
    /// `verifier_max_age_seconds` + `key_refresh_seconds` + 2.
    #[serde(default = "default_key_announce")]
    #[schemars(range(min = 1, max = 604_800))]
    pub key_announce_seconds: u64,
    /// How old the keys may be that a verifier works with: the longest `token.jwks_max_age_seconds` of the services, and
    /// 300 for the edge. Less is for tests and for places where every verifier asks more often.
    #[serde(default = "default_verifier_max_age")]
    #[schemars(range(min = 1, max = 86_400))]
    pub verifier_max_age_seconds: u64,
    /// After so many days of signing a key is replaced by itself; 0: never.
    #[serde(default = "default_key_rotation")]
    #[schemars(range(min = 0, max = 3_650))]
    pub key_rotation_days: u64,
    /// 64 hex digits: seals signing keys and the keys of sessions in the database.
    pub key_encryption_key: Secret,
    /// How requests are taken.
    #[serde(default)]
    pub http: HttpConfig,
    /// How often callers may call.
    #[serde(default)]
    pub limits: RateLimits,
    /// How long sessions live.
    #[serde(default)]
    pub sessions: SessionConfig,
}

impl Config {
    /// Reads and checks the configuration.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let config: Self = config::load(PREFIX, file)?;
        config.check()?;
        Ok(config)
    }

    /// How long an access token is good.
    pub const fn access_ttl(&self) -> Duration {
        Duration::from_secs(self.access_ttl_seconds)
    }

    /// The key that seals signing keys.
    pub(crate) fn sealing_key(&self) -> Result<SealingKey, ConfigError> {
        let mut problems = Problems::new(PREFIX);
        problems.note("key_encryption_key", NO_SEALING_KEY);
        SealingKey::from_hex(self.key_encryption_key.expose_secret())
            .ok_or_else(|| ConfigError::Problems(problems.found().to_vec()))
    }

    /// How long the parts of a signing key's life are.
    pub(crate) fn key_policy(&self) -> KeyPolicy {
        let seconds = |n: u64| TimeSpan::seconds(i64::try_from(n).unwrap_or(i64::MAX));
        let refresh = self.key_refresh_seconds;
        let signs_on = self
            .access_ttl_seconds
            .saturating_add(LEEWAY_SECONDS)
            .saturating_add(refresh);
        let fetched = self
            .verifier_max_age_seconds
            .saturating_add(refresh)
            .saturating_add(KEY_MARGIN_SECONDS);
        KeyPolicy {
            announce: seconds(self.key_announce_seconds),
            seen: seconds(self.key_announce_seconds.min(fetched)),
            retire: seconds(signs_on.saturating_add(KEY_MARGIN_SECONDS)),
            rotate: (self.key_rotation_days > 0)
                .then(|| seconds(self.key_rotation_days.saturating_mul(86_400))),
        }
    }

    /// The maker of sign-in messages.
    pub(crate) fn challenger(&self) -> Challenger {
        Challenger {
            domain: self.domain.clone(),
            uri: self.uri.clone(),
            chain_id: self.chain_id.clone(),
            statement: self.statement.clone(),
            ttl: Duration::from_secs(self.nonce_ttl_seconds),
        }
    }

    /// What can be wrong without being of the wrong type.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Problems::new(PREFIX);
        let listen = Listen {
            public: self.listen,
            ops: self.ops_listen,
        };
        listen.check(&mut problems);
        self.database.check(&mut problems);
        self.redis.check(&mut problems);
        self.http.check(&mut problems);
        let sealing_key = SealingKey::from_hex(self.key_encryption_key.expose_secret());
        problems.require("key_encryption_key", sealing_key.is_some(), NO_SEALING_KEY);
        problems.require(
            "issuer",
            is_http_url(&self.issuer),
            "must be an http(s) URL",
        );
        let texts = [
            ("domain", &self.domain),
            ("uri", &self.uri),
            ("chain_id", &self.chain_id),
            ("statement", &self.statement),
        ];
        let is_line = |text: &str| !text.trim().is_empty() && !text.contains(char::is_control);
        for (key, text) in texts {
            problems.require(key, is_line(text), "must be one line of text");
        }
        // A message that does not read back would turn every sign-in away.
        let reads_back = |sample: SignInMessage| {
            SignInMessage::parse(&sample.to_string()).is_ok_and(|read| read == sample)
        };
        let are_lines = texts.iter().all(|(_, text)| is_line(text));
        if are_lines && !self.challenger().samples().into_iter().all(reads_back) {
            let why = "with domain, uri and chain_id makes no message that reads back; together they must be under 1.3 KB";
            problems.note("statement", why);
        }
        let known = self
            .verifier_max_age_seconds
            .saturating_add(self.key_refresh_seconds)
            .saturating_add(ANNOUNCE_MARGIN_SECONDS);
        problems.require(
            "key_announce_seconds",
            self.key_announce_seconds >= known,
            "must be verifier_max_age_seconds + key_refresh_seconds + 2 or more: \
             a verifier would refuse tokens of a key that it does not know yet",
        );
        problems.require(
            "sessions.idle_seconds",
            self.sessions.idle_seconds >= self.access_ttl_seconds,
            "must be access_ttl_seconds or more",
        );
        problems.into_result()
    }
}

/// What an announcement is longer than the time it takes to be known everywhere.
const ANNOUNCE_MARGIN_SECONDS: u64 = 2;
/// What is added where one instance has to be done before another begins.
const KEY_MARGIN_SECONDS: u64 = 30;

const NO_SEALING_KEY: &str = "must be 64 hex digits";

const fn default_listen() -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 3001))
}

const fn default_ops_listen() -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9101))
}

fn default_statement() -> String {
    "Sign in to TWIST. This costs nothing and sends no transaction.".to_owned()
}

const fn default_nonce_ttl() -> u64 {
    300
}

const fn default_access_ttl() -> u64 {
    900
}

const fn default_key_refresh() -> u64 {
    2
}

const fn default_key_announce() -> u64 {
    600
}

/// What the services and the edge keep keys for, unless told otherwise.
const fn default_verifier_max_age() -> u64 {
    300
}

const fn default_key_rotation() -> u64 {
    90
}
