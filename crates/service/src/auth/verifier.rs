//! Believing an access token.

use super::cache_key::CacheKey;
use super::jwks::{JwksCache, JwksPolicy, Lookup};
use super::{Principal, crypto};
use crate::config::{Problems, is_http_url};
use crate::health::ReadyCheck;
use crate::{ApiError, clock};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::Code;
use contracts::token::{AccessClaims, LEEWAY_SECONDS, MAX_TOKEN_BYTES, TokenError, TokenHeader};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use moka::Expiry;
use moka::future::Cache;
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CACHE_ENTRIES: u64 = 10_000;
const CACHE_TTL: Duration = Duration::from_mins(1);

/// Whose tokens are believed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// The exact `iss`.
    pub issuer: String,
    /// Where the issuer's keys are.
    pub jwks_url: String,
    /// Seconds after which the issuer's keys are fetched again. Half of what the issuer announces a key ahead, or less.
    #[serde(default = "default_max_age")]
    pub jwks_max_age_seconds: u32,
    /// At least this many seconds lie between two fetches, however many unknown key names come.
    #[serde(default = "default_min_interval")]
    pub jwks_min_interval_seconds: u32,
}

impl TokenConfig {
    /// The tokens of `issuer`, with the keys at `jwks_url` and the usual times.
    pub fn new(issuer: impl Into<String>, jwks_url: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            jwks_url: jwks_url.into(),
            jwks_max_age_seconds: default_max_age(),
            jwks_min_interval_seconds: default_min_interval(),
        }
    }

    /// Notes what can be wrong without being of the wrong type.
    pub fn check(&self, problems: &mut Problems) {
        let url = "must be an http(s) URL";
        problems.require("token.issuer", is_http_url(&self.issuer), url);
        problems.require("token.jwks_url", is_http_url(&self.jwks_url), url);
        let (age, interval) = (self.jwks_max_age_seconds, self.jwks_min_interval_seconds);
        problems.require(
            "token.jwks_max_age_seconds",
            (1..=3_600).contains(&age),
            "must be 1 to 3600",
        );
        problems.require(
            "token.jwks_min_interval_seconds",
            (1..=age.max(1)).contains(&interval),
            "must be 1 to token.jwks_max_age_seconds",
        );
    }

    fn policy(&self) -> JwksPolicy {
        JwksPolicy {
            max_age: Duration::from_secs(self.jwks_max_age_seconds.into()),
            min_interval: Duration::from_secs(self.jwks_min_interval_seconds.into()),
            ..JwksPolicy::default()
        }
    }
}

const fn default_max_age() -> u32 {
    300
}

const fn default_min_interval() -> u32 {
    30
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It is not a token of the issuer, or no longer one.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The issuer's keys are not known and cannot be fetched.
    #[error("the issuer's keys cannot be fetched")]
    Unavailable,
}

/// The public half of a key that signs access tokens. Cheap to clone.
#[derive(Clone)]
pub struct VerifyingKey(Arc<DecodingKey>);

impl VerifyingKey {
    /// From the 32 bytes of an Ed25519 public key.
    pub fn new(public_key: &[u8; 32]) -> Self {
        Self(Arc::new(crypto::decoding_key(public_key)))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyingKey")
    }
}

/// Where a verifier has its keys from.
pub trait KeySource: fmt::Debug + Send + Sync {
    /// The key named `kid`. An empty name asks only whether keys are known at all.
    fn key<'a>(&'a self, kid: &'a str) -> Pin<Box<dyn Future<Output = Lookup> + Send + 'a>>;
}

/// Verifies access tokens. Cheap to clone; one for the process, so that the caches are shared.
#[derive(Debug, Clone)]
pub struct TokenVerifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    issuer: String,
    keys: Arc<dyn KeySource>,
    verified: Cache<u128, Verified>,
    cache_key: CacheKey,
    validation: Validation,
}

/// A token that was believed.
#[derive(Debug, Clone)]
struct Verified {
    believed: Believed,
    /// Seconds since the epoch: `exp` and the leeway.
    until: u64,
}

/// What a token that was believed says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Believed {
    /// Who calls.
    pub principal: Principal,
    /// The `kid` of the key that signed it.
    pub key_id: Arc<str>,
}

struct UntilExpiry;

impl Expiry<u128, Verified> for UntilExpiry {
    fn expire_after_create(&self, _: &u128, value: &Verified, _: Instant) -> Option<Duration> {
        let left = value.until.saturating_sub(clock::now_seconds());
        Some(Duration::from_secs(left).min(CACHE_TTL))
    }
}

impl TokenVerifier {
    /// A verifier that fetches keys when it first needs them.
    pub fn new(config: TokenConfig) -> reqwest::Result<Self> {
        let policy = config.policy();
        Self::with_policy(config, policy)
    }

    /// [`TokenVerifier::new`] with other times.
    pub fn with_policy(config: TokenConfig, policy: JwksPolicy) -> reqwest::Result<Self> {
        let keys = JwksCache::new(config.jwks_url, policy)?;
        Ok(Self::with_keys(config.issuer, Arc::new(keys)))
    }

    /// A verifier of the tokens of `issuer` that has its keys from `keys`: the issuer itself needs no JWKS.
    pub fn with_keys(issuer: String, keys: Arc<dyn KeySource>) -> Self {
        crypto::install();
        // The library checks the signature; every other rule is `AccessClaims::validate`, which the edge
        // shares.
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        Self(Arc::new(Inner {
            issuer,
            keys,
            verified: Cache::builder()
                .max_capacity(CACHE_ENTRIES)
                .expire_after(UntilExpiry)
                .build(),
            cache_key: CacheKey::random(),
            validation,
        }))
    }

    /// Who `token` stands for. Whether its session or its key was ended since is for
    /// [`Revocations`](super::Revocations) to say.
    pub async fn verify(&self, token: &str) -> Result<Believed, VerifyError> {
        let (word, result) = self.judge(token).await;
        metrics::counter!(telemetry::metrics::TOKEN_VERIFICATIONS, "result" => word).increment(1);
        result
    }

    /// Forgets that `token` was believed.
    pub async fn forget(&self, token: &str) {
        self.0
            .verified
            .invalidate(&self.0.cache_key.of(token))
            .await;
    }

    /// `keys`: the issuer's keys are known.
    pub fn ready_check(&self) -> ReadyCheck {
        let verifier = self.clone();
        ReadyCheck::new("keys", move || {
            let verifier = verifier.clone();
            async move {
                match verifier.0.keys.key("").await {
                    Lookup::Unavailable => Err("the issuer's keys cannot be fetched".to_owned()),
                    Lookup::Found(_) | Lookup::Unknown => Ok(()),
                }
            }
        })
    }

    async fn judge(&self, token: &str) -> (&'static str, Result<Believed, VerifyError>) {
        if token.len() > MAX_TOKEN_BYTES {
            return ("invalid", Err(TokenError::Invalid.into()));
        }
        let key = self.0.cache_key.of(token);
        if let Some(known) = self.0.verified.get(&key).await
            && clock::now_seconds() < known.until
        {
            return ("hit", Ok(known.believed));
        }
        // Rare, and big: not a part of every request.
        match Box::pin(self.check(token)).await {
            Ok((claims, key_id)) => {
                let known = Verified {
                    until: claims.exp.saturating_add(LEEWAY_SECONDS),
                    believed: Believed {
                        principal: claims.into(),
                        key_id,
                    },
                };
                self.0.verified.insert(key, known.clone()).await;
                ("valid", Ok(known.believed))
            }
            Err(error) => {
                let word = match error {
                    VerifyError::Token(TokenError::Invalid) => "invalid",
                    VerifyError::Token(TokenError::Expired) => "expired",
                    VerifyError::Unavailable => "unavailable",
                };
                (word, Err(error))
            }
        }
    }

    async fn check(&self, token: &str) -> Result<(AccessClaims, Arc<str>), VerifyError> {
        let header = token.split('.').next().unwrap_or_default();
        let header = URL_SAFE_NO_PAD
            .decode(header)
            .map_err(|_| TokenError::Invalid)?;
        let header: TokenHeader =
            serde_json::from_slice(&header).map_err(|_| TokenError::Invalid)?;
        let key_id = header.key_id()?;
        let key = match self.0.keys.key(key_id).await {
            Lookup::Found(key) => key,
            Lookup::Unknown => return Err(TokenError::Invalid.into()),
            Lookup::Unavailable => return Err(VerifyError::Unavailable),
        };
        let claims = jsonwebtoken::decode::<AccessClaims>(token, &key.0, &self.0.validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        claims.validate(&self.0.issuer, clock::now_seconds())?;
        Ok((claims, key_id.into()))
    }
}

impl From<VerifyError> for ApiError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Token(TokenError::Invalid) => Self::of(Code::AuthTokenInvalid),
            VerifyError::Token(TokenError::Expired) => Self::new(
                Code::AuthTokenExpired,
                "The access token has expired; sign in again.",
            ),
            VerifyError::Unavailable => Self::unavailable("jwks", &error),
        }
    }
}
