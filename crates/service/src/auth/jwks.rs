//! The issuer's public keys, fetched when needed and kept through its absence.

use super::verifier::{KeySource, VerifyingKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::auth::{Jwk, Jwks};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// A longer answer is not a key set of ours.
const MAX_BYTES: usize = 64 * 1024;

/// When keys are fetched again.
#[derive(Debug, Clone, Copy)]
pub struct JwksPolicy {
    /// A set older than this is fetched again before it is used.
    pub max_age: Duration,
    /// At least this long between two fetches while there is a set: bounds what unknown key names and an
    /// absent issuer can cost.
    pub min_interval: Duration,
    /// At least this long between two fetches while there is none.
    pub min_interval_empty: Duration,
    /// The last good set serves this long while the issuer cannot be reached.
    pub keep: Duration,
    /// A fetch that takes longer has failed.
    pub timeout: Duration,
}

impl Default for JwksPolicy {
    fn default() -> Self {
        Self {
            max_age: Duration::from_mins(5),
            min_interval: Duration::from_secs(30),
            min_interval_empty: Duration::from_secs(1),
            keep: Duration::from_hours(24),
            timeout: Duration::from_secs(3),
        }
    }
}

/// What is known of a key name.
#[derive(Debug)]
pub enum Lookup {
    /// The key.
    Found(VerifyingKey),
    /// The issuer was asked and has no such key.
    Unknown,
    /// The issuer could not be asked: not the same as having no keys.
    Unavailable,
}

#[derive(Debug, Default)]
struct State {
    keys: HashMap<String, VerifyingKey>,
    fetched: Option<Instant>,
    attempted: Option<Instant>,
    last_failed: bool,
}

#[derive(Debug)]
pub(super) struct JwksCache {
    url: String,
    http: reqwest::Client,
    policy: JwksPolicy,
    state: RwLock<State>,
    fetching: Mutex<()>,
}

impl JwksCache {
    pub(super) fn new(url: String, policy: JwksPolicy) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(policy.timeout)
            .connect_timeout(policy.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            url,
            http,
            policy,
            state: RwLock::default(),
            fetching: Mutex::default(),
        })
    }

    /// The key named `kid`.
    pub(super) async fn key(&self, kid: &str) -> Lookup {
        if let Some(answer) = self.known(kid) {
            return answer;
        }
        // One request fetches, the others wait for what it brings.
        let _turn = self.fetching.lock().await;
        if let Some(answer) = self.known(kid) {
            return answer;
        }
        self.fetch().await;
        self.settled(kid)
    }

    /// The answer that needs no fetch now, if there is one.
    fn known(&self, kid: &str) -> Option<Lookup> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let age = state.fetched.map(|at| at.elapsed());
        let fresh = age.is_some_and(|age| age < self.policy.max_age);
        if fresh && let Some(key) = state.keys.get(kid) {
            return Some(Lookup::Found(key.clone()));
        }
        let interval = if age.is_some() {
            self.policy.min_interval
        } else {
            self.policy.min_interval_empty
        };
        let recently = state.attempted.is_some_and(|at| at.elapsed() < interval);
        recently.then(|| self.answer(&state, kid))
    }

    fn settled(&self, kid: &str) -> Lookup {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        self.answer(&state, kid)
    }

    fn answer(&self, state: &State, kid: &str) -> Lookup {
        let usable = state
            .fetched
            .is_some_and(|at| at.elapsed() < self.policy.keep);
        match state.keys.get(kid) {
            Some(key) if usable => Lookup::Found(key.clone()),
            _ if state.last_failed || !usable => Lookup::Unavailable,
            _ => Lookup::Unknown,
        }
    }

    async fn fetch(&self) {
        let result = self.download().await;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        state.attempted = Some(now);
        state.last_failed = result.is_err();
        let word = match result {
            Ok(keys) => {
                state.keys = keys;
                state.fetched = Some(now);
                "ok"
            }
            Err(cause) => {
                tracing::warn!(cause = %cause, "the issuer's keys could not be fetched");
                "error"
            }
        };
        metrics::counter!(telemetry::metrics::JWKS_FETCHES, "result" => word).increment(1);
    }

    async fn download(&self) -> Result<HashMap<String, VerifyingKey>, String> {
        let mut response = self
            .http
            .get(&self.url)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| error.to_string())? {
            if bytes.len().saturating_add(chunk.len()) > MAX_BYTES {
                return Err("the key set is too long".into());
            }
            bytes.extend_from_slice(&chunk);
        }
        let set: Jwks = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let keys: HashMap<_, _> = set.keys.iter().filter_map(usable_key).collect();
        if keys.is_empty() {
            return Err("the key set has no Ed25519 signing key".into());
        }
        Ok(keys)
    }
}

impl KeySource for JwksCache {
    fn key<'a>(&'a self, kid: &'a str) -> Pin<Box<dyn Future<Output = Lookup> + Send + 'a>> {
        Box::pin(Self::key(self, kid))
    }
}

/// The key if it is one that may sign access tokens; others in the set are not ours to judge.
fn usable_key(jwk: &Jwk) -> Option<(String, VerifyingKey)> {
    let ours = jwk.kty == "OKP" && jwk.crv == "Ed25519" && jwk.alg == "EdDSA" && jwk.use_ == "sig";
    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(&jwk.x).ok()?.try_into().ok()?;
    (ours && domain::ed25519::is_signing_key(&bytes))
        .then(|| (jwk.kid.clone(), VerifyingKey::new(&bytes)))
}
