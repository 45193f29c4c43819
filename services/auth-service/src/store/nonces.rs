//! Nonces that were given out: `siws:n:<nonce>`, gone when taken or when their time is over.

use crate::domain::challenge::{Challenge, fingerprint};
use crate::domain::nonce::Nonce;
use service::ApiError;
use service::redis::OneTimeStore;

/// Remembers what has to come back signed.
pub(crate) async fn remember(
    store: &impl OneTimeStore,
    challenge: &Challenge,
) -> Result<(), ApiError> {
    let value = fingerprint(&challenge.message.to_string());
    if store
        .put_new(&key(&challenge.nonce), value, challenge.ttl)
        .await?
    {
        Ok(())
    } else {
        Err(ApiError::internal(&"a nonce was drawn twice"))
    }
}

/// Takes the fingerprint of the message that `nonce` was given out with. Of any number of callers, one
/// gets it; it is gone whatever that one does with it.
pub(crate) async fn take(
    store: &impl OneTimeStore,
    nonce: &Nonce,
) -> Result<Option<String>, ApiError> {
    Ok(store.take(&key(nonce)).await?)
}

fn key(nonce: &Nonce) -> String {
    format!("siws:n:{}", nonce.as_str())
}
