//! Who calls: the access token, checked with the auth-service's published keys.

use crate::{http, webcrypto};
use contracts::auth::Jwks;
use contracts::token::{AccessClaims, TokenError};
use domain::EpochMs;
use durable_objects::{log_error, now};
use edge_core::jwks::{Decision, KeyCache};
use edge_core::token::{UnverifiedToken, bearer};
use edge_core::{Refusal, Settings};
use std::cell::RefCell;
use std::time::Duration;
use worker::{Delay, Method};

/// How often a request looks whether another's fetch has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

thread_local! {
    /// One set of keys for each isolate.
    static KEYS: RefCell<KeyCache> = const { RefCell::new(KeyCache::new()) };
}

/// The claims of the caller's token.
pub(crate) async fn caller(
    authorization: Option<&str>,
    settings: &Settings,
    now: EpochMs,
) -> Result<AccessClaims, Refusal> {
    let token = UnverifiedToken::split(bearer(authorization)?)?;
    let key = key(token.key_id(), settings, now).await?;
    let holds = webcrypto::holds(&key, token.signed_bytes(), token.signature()).await;
    Ok(token.believe(holds, &settings.token_issuer, now)?)
}

async fn key(key_id: &str, settings: &Settings, arrived: EpochMs) -> Result<[u8; 32], Refusal> {
    let mut decision = KEYS.with_borrow_mut(|keys| keys.decide(key_id, arrived));
    // A promise of another request cannot be awaited here, so its outcome is looked for.
    while decision == Decision::Wait {
        Delay::from(LOOK_AGAIN).await;
        decision = KEYS.with_borrow_mut(|keys| keys.decide(key_id, now()));
    }
    if decision == Decision::Fetch {
        refresh(settings).await;
        decision = KEYS.with_borrow(|keys| keys.settled(key_id));
    }
    match decision {
        Decision::Use(key) => Ok(key),
        Decision::Unknown => Err(TokenError::Invalid.into()),
        Decision::Fetch | Decision::Wait | Decision::Unavailable => Err(Refusal::unavailable(
            "Access tokens cannot be checked at the moment; try again.",
        )),
    }
}

async fn refresh(settings: &Settings) {
    let fetched = http::call(Method::Get, &settings.jwks_url, &[], None).await;
    let set = match &fetched {
        Ok(reply) if reply.status == 200 => serde_json::from_slice::<Jwks>(&reply.body).ok(),
        Ok(_) | Err(_) => None,
    };
    KEYS.with_borrow_mut(|keys| match &set {
        Some(set) => keys.fetched(set, now()),
        None => keys.failed(now()),
    });
    match fetched {
        Err(error) => log_error("the token keys could not be fetched", &error),
        Ok(reply) if set.is_none() => log_error("the token keys could not be read", &reply.status),
        Ok(_) => {}
    }
}
