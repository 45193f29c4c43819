//! Tokens that are believed, and all the others.

use crate::issuer::{Issuer, KID, claims, encode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::token::{AccessClaims, TokenError};
use domain::WalletAddress;
use service::auth::{AccessTokenSigner, JwksPolicy, VerifyError};
use service::clock;
use std::time::Duration;

const INVALID: VerifyError = VerifyError::Token(TokenError::Invalid);

#[tokio::test]
async fn a_token_of_the_issuer_is_believed_and_fetches_keys_once() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier(JwksPolicy::default());
    for _ in 0..50 {
        let principal = verifier.verify(&issuer.token(&claims())).await.unwrap();
        assert_eq!(principal.principal.wallet, claims().sub);
        assert_eq!(principal.principal.uid, claims().uid);
        assert_eq!(principal.principal.session, claims().sid);
    }
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn a_token_that_anyone_could_have_made_is_refused() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier(JwksPolicy::default());
    let claims_text = serde_json::to_string(&claims()).unwrap();
    let good = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{KID}"}}"#);
    assert!(
        verifier
            .verify(&issuer.raw(&good, &claims_text))
            .await
            .is_ok()
    );

    let none = format!(
        "{}.{}.",
        encode(&format!(r#"{{"alg":"none","typ":"at+jwt","kid":"{KID}"}}"#)),
        encode(&claims_text)
    );
    let hs256 = {
        // The classic: the public key, which everyone has, used as an HMAC secret.
        let text = format!(
            "{}.{}",
            encode(&format!(
                r#"{{"alg":"HS256","typ":"at+jwt","kid":"{KID}"}}"#
            )),
            encode(&claims_text)
        );
        let mac = hmac_sha256(issuer.key.verifying_key().as_bytes(), text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac))
    };
    let mut tokens = vec![
        ("alg none", none),
        ("HS256 with the public key", hs256),
        (
            "another's key",
            AccessTokenSigner::new(KID, &[7; 32])
                .sign(&claims())
                .unwrap(),
        ),
        (
            "unknown kid",
            AccessTokenSigner::new("other", &issuer.key.to_bytes())
                .sign(&claims())
                .unwrap(),
        ),
        (
            "no kid",
            issuer.raw(r#"{"alg":"EdDSA","typ":"at+jwt"}"#, &claims_text),
        ),
        (
            "a plain JWT",
            issuer.raw(
                &format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{KID}"}}"#),
                &claims_text,
            ),
        ),
        (
            "brings its key",
            issuer.raw(
                &format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{KID}","jwk":{{}}}}"#),
                &claims_text,
            ),
        ),
        (
            "a key twice",
            issuer.raw(
                &good,
                &claims_text.replacen('{', r#"{"aud":"twist-api","#, 1),
            ),
        ),
        ("no claims", issuer.raw(&good, "{}")),
        (
            "too long",
            issuer.raw(
                &good,
                &claims_text.replacen('{', &format!(r#"{{"pad":"{}","#, "x".repeat(4_096)), 1),
            ),
        ),
        ("empty", String::new()),
        ("not a token", "a.b.c".to_owned()),
    ];
    let token = issuer.token(&claims());
    for (index, _) in token.match_indices('.') {
        tokens.push(("cut short", token[..index].to_owned()));
    }
    tokens.push(("a dot more", format!("{token}.")));
    tokens.push(("padding", format!("{token}=")));
    for (what, token) in tokens {
        assert_eq!(verifier.verify(&token).await, Err(INVALID), "{what}");
    }
}

#[tokio::test]
async fn no_character_of_a_token_can_be_changed() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier(JwksPolicy::default());
    let token = issuer.token(&claims());
    for index in 0..token.len() {
        let mut altered = token.clone().into_bytes();
        altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        assert!(
            verifier.verify(&altered).await.is_err(),
            "character {index}"
        );
    }
    assert!(verifier.verify(&token).await.is_ok());
}

#[tokio::test]
async fn a_token_of_another_time_place_or_purpose_is_refused() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier(JwksPolicy::default());
    let now = clock::now_seconds();
    let bad = [
        (
            "issuer",
            AccessClaims {
                iss: "https://staging.example".into(),
                ..claims()
            },
        ),
        (
            "audience",
            AccessClaims {
                aud: "twist-edge".into(),
                ..claims()
            },
        ),
        (
            "not yet",
            AccessClaims {
                nbf: now + 120,
                ..claims()
            },
        ),
        (
            "from the future",
            AccessClaims {
                iat: now + 120,
                ..claims()
            },
        ),
        ("version", AccessClaims { ver: 2, ..claims() }),
        (
            "two wallets",
            AccessClaims {
                sub: WalletAddress::from_bytes([2; 32]),
                ..claims()
            },
        ),
    ];
    for (what, claims) in bad {
        assert_eq!(
            verifier.verify(&issuer.token(&claims)).await,
            Err(INVALID),
            "{what}"
        );
    }
    let expired = AccessClaims {
        iat: now - 1_000,
        nbf: now - 1_000,
        exp: now - 31,
        ..claims()
    };
    assert_eq!(
        verifier.verify(&issuer.token(&expired)).await,
        Err(VerifyError::Token(TokenError::Expired))
    );
}

#[tokio::test]
async fn a_believed_token_is_not_believed_longer_because_it_is_remembered() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier(JwksPolicy::default());
    let now = clock::now_seconds();
    // One to two seconds are left of the leeway.
    let token = issuer.token(&AccessClaims {
        iat: now - 900,
        nbf: now - 900,
        exp: now - 28,
        ..claims()
    });
    assert!(verifier.verify(&token).await.is_ok());
    let until = tokio::time::Instant::now() + Duration::from_secs(5);
    while verifier.verify(&token).await.is_ok() {
        assert!(tokio::time::Instant::now() < until, "believed for ever");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        verifier.verify(&token).await,
        Err(VerifyError::Token(TokenError::Expired))
    );
}

fn hmac_sha256(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        for (to, from) in block.iter_mut().zip(key) {
            *to ^= from;
        }
        block
    };
    let inner = domain::bytes::sha256(&[&pad(0x36)[..], message].concat());
    domain::bytes::sha256(&[&pad(0x5c)[..], &inner].concat())
}
