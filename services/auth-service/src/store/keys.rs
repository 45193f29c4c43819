//! Signing keys: rows shared by all instances, opened in memory.

use super::entity::signing_keys::{ActiveModel, Column, Entity, Model};
use crate::domain::seal::{SealError, SealingKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::auth::{Jwk, Jwks};
use domain::bytes::sha256;
use ed25519_dalek::SigningKey;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, DatabaseConnection, DbErr, EntityTrait as _, QueryFilter as _,
    QueryOrder as _,
};
use service::ApiError;
use service::auth::{AccessTokenSigner, KeySource, Lookup, VerifyingKey};
use service::health::ReadyCheck;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// While there are no keys at all, the table is asked again this often, however many requests wait.
const RETRY: Duration = Duration::from_secs(1);

/// The states of a key whose tokens are believed.
const PUBLISHED: [&str; 3] = ["announced", "active", "retiring"];

/// The keys as of the last look at the table.
#[derive(Debug)]
pub(crate) struct Keys {
    /// Signs new tokens.
    pub(crate) signer: AccessTokenSigner,
    /// What verifiers are given.
    pub(crate) jwks: Jwks,
    /// The same, for this process' own verifier.
    verifying: HashMap<String, VerifyingKey>,
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
    database: DatabaseConnection,
    sealing: SealingKey,
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
        max_age: Duration,
    ) -> Self {
        Self(Arc::new(Inner {
            database,
            sealing,
            max_age,
            slot: RwLock::default(),
            loading: Mutex::new(()),
        }))
    }

    /// The keys, at most `max_age` old; older while the database does not answer, so that verifiers still
    /// get them. The very first call of all instances makes the first key.
    pub(crate) async fn current(&self) -> Result<Arc<Keys>, KeyError> {
        if let Some(known) = self.known() {
            return known;
        }
        // One request asks, the others wait for what it brings.
        let _turn = self.0.loading.lock().await;
        if let Some(known) = self.known() {
            return known;
        }
        let loaded = self.load().await.map(Arc::new);
        let mut slot = self.0.slot.write().unwrap_or_else(PoisonError::into_inner);
        slot.asked = Some(Instant::now());
        match loaded {
            Ok(keys) => {
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
        let mut rows = self.published().await?;
        if !rows.iter().any(|row| row.state == "active") {
            self.make_first().await?;
            rows = self.published().await?;
        }
        let mut signer = None;
        let mut keys = Vec::with_capacity(rows.len());
        let mut verifying = HashMap::with_capacity(rows.len());
        for row in &rows {
            match self.open(row) {
                Ok(seed) => {
                    if row.state == "active" {
                        signer = Some(AccessTokenSigner::new(row.kid.clone(), &seed));
                    }
                    let public = SigningKey::from_bytes(&seed).verifying_key();
                    verifying.insert(row.kid.clone(), VerifyingKey::new(public.as_bytes()));
                    keys.push(jwk(row));
                }
                Err(error) if row.state == "active" => return Err(error),
                // Without this one the others still serve.
                Err(error) => {
                    tracing::error!(kid = %row.kid, cause = %error, "a signing key is not published");
                }
            }
        }
        Ok(Keys {
            signer: signer.ok_or(KeyError::NoneActive)?,
            jwks: Jwks { keys },
            verifying,
        })
    }

    /// The secret of a row, if the row is ours: only who has the sealing key can make one whose secret opens
    /// and belongs to its public key. A public key that someone merely wrote into the table is never published.
    fn open(&self, row: &Model) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        let seed = self.0.sealing.open(&row.sealed_private_key, &row.kid)?;
        let public = SigningKey::from_bytes(&seed).verifying_key();
        if public.as_bytes().as_slice() == row.public_key {
            Ok(seed)
        } else {
            Err(KeyError::Mismatch)
        }
    }

    async fn published(&self) -> Result<Vec<Model>, DbErr> {
        Entity::find()
            .filter(Column::State.is_in(PUBLISHED))
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Kid)
            .all(&self.0.database)
            .await
    }

    /// Makes an active key, unless another instance does so first: the table admits one.
    async fn make_first(&self) -> Result<(), KeyError> {
        let mut seed = Zeroizing::new([0u8; 32]);
        getrandom::fill(&mut *seed).map_err(|_| SealError::Random)?;
        let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        let kid = thumbprint(&public);
        let now = OffsetDateTime::now_utc();
        Entity::insert(ActiveModel {
            sealed_private_key: Set(self.0.sealing.seal(&seed, &kid)?),
            kid: Set(kid),
            public_key: Set(public.to_vec()),
            state: Set("active".to_owned()),
            created_at: Set(now),
            activated_at: Set(Some(now)),
            retired_at: Set(None),
        })
        .on_conflict_do_nothing()
        .exec_without_returning(&self.0.database)
        .await?;
        Ok(())
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
