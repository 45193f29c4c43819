//! The issuer's keys: fetched seldom, kept through its absence.

use crate::issuer::{Issuer, claims, jwk};
use contracts::token::TokenError;
use ed25519_dalek::SigningKey;
use service::auth::{AccessTokenSigner, JwksPolicy, VerifyError};
use std::sync::atomic::Ordering;
use std::time::Duration;

#[tokio::test]
async fn unknown_key_names_do_not_make_us_flood_the_issuer() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier(JwksPolicy::default());
    assert!(verifier.verify(&issuer.token(&claims())).await.is_ok());
    for n in 0..100 {
        let token = AccessTokenSigner::new(format!("made-up-{n}"), &[7; 32])
            .sign(&claims())
            .unwrap();
        assert_eq!(
            verifier.verify(&token).await,
            Err(VerifyError::Token(TokenError::Invalid))
        );
    }
    assert_eq!(issuer.fetches(), 1, "one fetch in 30 seconds");
}

#[tokio::test]
async fn a_new_key_is_found_without_a_restart() {
    let issuer = Issuer::start().await;
    let policy = JwksPolicy {
        min_interval: Duration::ZERO,
        ..JwksPolicy::default()
    };
    let verifier = issuer.verifier(policy);
    assert!(verifier.verify(&issuer.token(&claims())).await.is_ok());
    let new = SigningKey::from_bytes(&[43; 32]);
    issuer
        .endpoint
        .keys
        .lock()
        .unwrap()
        .push(jwk("key-2", &new));
    let token = AccessTokenSigner::new("key-2", &new.to_bytes())
        .sign(&claims())
        .unwrap();
    assert!(verifier.verify(&token).await.is_ok());
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn an_issuer_that_is_down_is_not_an_issuer_without_keys() {
    let issuer = Issuer::start().await;
    let policy = JwksPolicy {
        max_age: Duration::ZERO,
        min_interval: Duration::ZERO,
        min_interval_empty: Duration::ZERO,
        ..JwksPolicy::default()
    };
    issuer.endpoint.down.store(true, Ordering::SeqCst);
    let verifier = issuer.verifier(policy);
    assert_eq!(
        verifier.verify(&issuer.token(&claims())).await,
        Err(VerifyError::Unavailable)
    );

    issuer.endpoint.down.store(false, Ordering::SeqCst);
    assert!(verifier.verify(&issuer.token(&claims())).await.is_ok());

    // Down again, in each way: an error, an empty set, a set without a key of ours. The last good set serves.
    issuer.endpoint.down.store(true, Ordering::SeqCst);
    assert!(verifier.verify(&issuer.token(&claims())).await.is_ok());
    let unknown = AccessTokenSigner::new("other", &[7; 32])
        .sign(&claims())
        .unwrap();
    assert_eq!(
        verifier.verify(&unknown).await,
        Err(VerifyError::Unavailable)
    );
    issuer.endpoint.down.store(false, Ordering::SeqCst);
    issuer.endpoint.keys.lock().unwrap()[0].crv = "X25519".into();
    assert!(verifier.verify(&issuer.token(&claims())).await.is_ok());
    issuer.endpoint.keys.lock().unwrap().clear();
    assert!(verifier.verify(&issuer.token(&claims())).await.is_ok());

    let forgetful = issuer.verifier(JwksPolicy {
        keep: Duration::ZERO,
        ..policy
    });
    assert_eq!(
        forgetful.verify(&issuer.token(&claims())).await,
        Err(VerifyError::Unavailable)
    );
}
