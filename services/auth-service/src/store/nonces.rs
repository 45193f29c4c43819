//! Nonces that were given out, gone when taken or when their time is over: `siws:n:<nonce>` to sign in,
//! `siws:l:<user>:<nonce>` to link a wallet.

use crate::domain::challenge::{Challenge, GivenOut, Purpose};
use crate::domain::nonce::Nonce;
use service::ApiError;
use service::redis::OneTimeStore;

/// Remembers what has to come back signed.
pub(crate) async fn remember(
    store: &impl OneTimeStore,
    challenge: &Challenge,
) -> Result<(), ApiError> {
    let value = GivenOut::new(&challenge.message).to_string();
    let key = key(challenge.purpose, &challenge.nonce);
    if store.put_new(&key, value, challenge.ttl).await? {
        Ok(())
    } else {
        Err(ApiError::internal(&"a nonce was drawn twice"))
    }
}

/// Takes what is remembered of the message that `nonce` was given out with for `purpose`. Of any number of callers,
/// one gets it; it is gone whatever that one does with it.
pub(crate) async fn take(
    store: &impl OneTimeStore,
    purpose: Purpose,
    nonce: &Nonce,
) -> Result<Option<GivenOut>, ApiError> {
    let value = store.take(&key(purpose, nonce)).await?;
    Ok(value.and_then(|text| GivenOut::parse(&text)))
}

fn key(purpose: Purpose, nonce: &Nonce) -> String {
    let nonce = nonce.as_str();
    match purpose {
        Purpose::SignIn => format!("siws:n:{nonce}"),
        Purpose::Link(user) => format!("siws:l:{user}:{nonce}"),
    }
}
