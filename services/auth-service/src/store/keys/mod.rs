//! Signing keys: rows shared by all instances, opened in memory.

mod manage;
mod table;

pub(crate) use manage::{Retired, RotateError};

use crate::domain::key_life::{KeyPolicy, KeyState};
use crate::domain::seal::{SealError, SealingKey};
use crate::store::entity::signing_keys::Model;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::auth::{Jwk, Jwks};
use domain::bytes::sha256;
use ed25519_dalek::SigningKey;
use sea_orm::{DatabaseConnection, DbErr};
use service::ApiError;
use service::auth::{AccessTokenSigner, KeySource, Lookup, VerifyingKey};
use service::health::ReadyCheck;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use table::KeyTable;
use tokio::sync::Mutex;

/// While there are no keys at all, the table is asked again this often, however many requests wait.
const RETRY: Duration = Duration::from_secs(1);

/// With keys at hand nobody waits longer than this for newer ones; nor does anybody go on, while another request asks,
/// with keys that are due by more.
const PATIENCE: Duration = Duration::from_secs(1);

/// The keys as of the last look at the table.
#[derive(Debug)]
pub(crate) struct Keys {
    /// Signs new tokens.
    pub(crate) signer: AccessTokenSigner,
    /// What verifiers are given.
    pub(crate) jwks: Arc<PublishedKeys>,
    /// The same, for this process' own verifier.
    verifying: HashMap<String, VerifyingKey>,
}

/// The public keys, as they are sent.
#[derive(Debug)]
pub(crate) struct PublishedKeys {
    /// A `Jwks` in JSON.
    pub(crate) body: String,
    /// Changes with the body, quotes included.
    pub(crate) etag: String,
}

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("a signing key is not the one that its row says")]
    Mismatch,
    #[error("there is no active signing key")]
    NoneActive,
    #[error("the signing keys could not be read a moment ago")]
    JustFailed,
    #[error("the database takes too long")]
    Slow,
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Database(error) => error.into(),
            error => Self::unavailable("keys", &error),
        }
    }
}

/// The signing keys. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct KeyRing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    table: KeyTable,
    max_age: Duration,
    slot: RwLock<Slot>,
    loading: Mutex<()>,
}

#[derive(Debug, Default)]
struct Slot {
    keys: Option<Arc<Keys>>,
    /// When the table was last asked, whether or not it answered.
    asked: Option<Instant>,
}

impl KeyRing {
    /// `max_age`: how soon this instance sees a key that another one announced, activated or retired.
    pub(crate) fn new(
        database: DatabaseConnection,
        sealing: SealingKey,
        policy: KeyPolicy,
        max_age: Duration,
    ) -> Self {
        Self(Arc::new(Inner {
            table: KeyTable {
                database,
                sealing,
                policy,
            },
            max_age,
            slot: RwLock::default(),
            loading: Mutex::new(()),
        }))
    }

    fn table(&self) -> &KeyTable {
        &self.0.table
    }

    /// The keys, at most `max_age` old; older while the database does not answer, so that verifiers still
    /// get them. Moves keys on of which the time has come; the very first call of all instances makes the first key.
    pub(crate) async fn current(&self) -> Result<Arc<Keys>, KeyError> {
        if let Some(known) = self.known() {
            return known;
        }
        // One request asks. The others go on with what they have if it is hardly older than it may be, or wait for what
        // that one brings: a verifier that is given old keys goes on to refuse good tokens with them.
        let last = self.last();
        let _turn = match (&last, self.0.loading.try_lock()) {
            (_, Ok(turn)) => turn,
            (Some((keys, age)), Err(_)) if *age < self.0.max_age.saturating_add(PATIENCE) => {
                return Ok(keys.clone());
            }
            (Some((keys, _)), Err(_)) => {
                let turn = self.0.loading.lock();
                match tokio::time::timeout(PATIENCE, turn).await {
                    Ok(turn) => turn,
                    Err(_) => return Ok(keys.clone()),
                }
            }
            (None, Err(_)) => self.0.loading.lock().await,
        };
        if let Some(known) = self.known() {
            return known;
        }
        let loaded = match &last {
            None => self.load().await,
            Some(_) => tokio::time::timeout(PATIENCE, self.load())
                .await
                .unwrap_or(Err(KeyError::Slow)),
        };
        let mut slot = self.0.slot.write().unwrap_or_else(PoisonError::into_inner);
        slot.asked = Some(Instant::now());
        match loaded {
            Ok(keys) => {
                let keys = Arc::new(keys);
                slot.keys = Some(keys.clone());
                Ok(keys)
            }
            Err(error) => {
                let last = slot.keys.clone().ok_or(error)?;
                tracing::warn!("the signing keys could not be read again; the last ones serve");
                Ok(last)
            }
        }
    }

    /// Looks at the table as often as it is to be looked at, for as long as anybody else has this ring: a key takes over in
    /// its time though nobody signs in, and a verifier that asks after a quiet hour is told of today's keys.
    pub(crate) async fn watch(self) {
        let (every, ring) = (self.0.max_age.max(RETRY), Arc::downgrade(&self.0));
        drop(self);
        while let Some(inner) = ring.upgrade() {
            // What is wrong is told to whoever needs a key, and to the log when the last ones serve.
            let _ = Self(inner).current().await;
            tokio::time::sleep(every).await;
        }
    }

    /// The keys of the last look that found any, and how long ago the table was asked.
    fn last(&self) -> Option<(Arc<Keys>, Duration)> {
        let slot = self.0.slot.read().unwrap_or_else(PoisonError::into_inner);
        Some((slot.keys.clone()?, slot.asked?.elapsed()))
    }

    /// The answer that needs no look at the table now, if there is one.
    fn known(&self) -> Option<Result<Arc<Keys>, KeyError>> {
        let slot = self.0.slot.read().unwrap_or_else(PoisonError::into_inner);
        let age = slot.asked?.elapsed();
        match &slot.keys {
            Some(keys) if age < self.0.max_age => Some(Ok(keys.clone())),
            None if age < RETRY => Some(Err(KeyError::JustFailed)),
            _ => None,
        }
    }

    /// `keys`: there is a key to sign with.
    pub(crate) fn ready_check(&self) -> ReadyCheck {
        let ring = self.clone();
        ReadyCheck::new("keys", move || {
            let ring = ring.clone();
            async move {
                ring.current()
                    .await
                    .map(|_| ())
                    .map_err(|error| error.to_string())
            }
        })
    }

    async fn load(&self) -> Result<Keys, KeyError> {
        let rows = self.table().settled().await?.rows;
        let mut signer = None;
        let mut keys = Vec::with_capacity(rows.len());
        let mut verifying = HashMap::with_capacity(rows.len());
        for row in &rows {
            let active = row.state == KeyState::Active.as_str();
            match self.table().open(row) {
                Ok(seed) => {
                    if active {
                        signer = Some(AccessTokenSigner::new(row.kid.clone(), &seed));
                    }
                    let public = SigningKey::from_bytes(&seed).verifying_key();
                    verifying.insert(row.kid.clone(), VerifyingKey::new(public.as_bytes()));
                    keys.push(jwk(row));
                }
                Err(error) if active => return Err(error),
                // Without this one the others still serve.
                Err(error) => {
                    tracing::error!(kid = %row.kid, cause = %error, "a signing key is not published");
                }
            }
        }
        Ok(Keys {
            signer: signer.ok_or(KeyError::NoneActive)?,
            jwks: Arc::new(published(keys)?),
            verifying,
        })
    }
}

/// The issuer believes its own tokens without asking itself over HTTP.
impl KeySource for KeyRing {
    fn key<'a>(&'a self, kid: &'a str) -> Pin<Box<dyn Future<Output = Lookup> + Send + 'a>> {
        Box::pin(async move {
            match self.current().await {
                Ok(keys) => keys
                    .verifying
                    .get(kid)
                    .map_or(Lookup::Unknown, |key| Lookup::Found(key.clone())),
                Err(_) => Lookup::Unavailable,
            }
        })
    }
}

/// The key's name: its RFC 7638 thumbprint, so that the same key has the same name everywhere.
fn thumbprint(public: &[u8; 32]) -> String {
    let x = URL_SAFE_NO_PAD.encode(public);
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(sha256(canonical.as_bytes()))
}

fn published(keys: Vec<Jwk>) -> Result<PublishedKeys, KeyError> {
    let body = serde_json::to_string(&Jwks { keys }).map_err(|_| KeyError::Mismatch)?;
    let hash = URL_SAFE_NO_PAD.encode(sha256(body.as_bytes()));
    Ok(PublishedKeys {
        etag: format!("\"{hash}\""),
        body,
    })
}

fn jwk(row: &Model) -> Jwk {
    Jwk {
        kty: "OKP".to_owned(),
        crv: "Ed25519".to_owned(),
        x: URL_SAFE_NO_PAD.encode(&row.public_key),
        kid: row.kid.clone(),
        use_: "sig".to_owned(),
        alg: "EdDSA".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_key_is_named_as_the_rfc_names_it() {
        // RFC 8037, appendix A.3.
        let public =
            hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
                .unwrap()
                .try_into()
                .unwrap();
        assert_eq!(
            super::thumbprint(&public),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }
}
