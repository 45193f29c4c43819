//! Access tokens and the keys they are signed with.

use crate::parts::{line, now, text};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::auth::Jwks;
use edge_core::Refusal;
use edge_core::jwks::{Decision, KeyCache};
use edge_core::token::{UnverifiedToken, bearer};

const ISSUER: &str = "https://auth.example";

/// A token as it was sent, or, where the input has two lines, one made of a header and claims. Its parts are all of
/// it, and no claim of one that nobody signed is believed.
pub(crate) fn token(input: &[u8]) {
    let text = text(input);
    if let Ok(token) = bearer(Some(&text)) {
        assert!(!token.is_empty() && text.contains(token));
    }
    split(&text);
    if let (header, claims) = line(&text)
        && !claims.is_empty()
    {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        split(&format!(
            "{}.{}.{}",
            part(header),
            part(claims),
            URL_SAFE_NO_PAD.encode([7; 64])
        ));
    }
}

fn split(token: &str) {
    let unverified = match UnverifiedToken::split(token) {
        Ok(unverified) => unverified,
        Err(error) => {
            assert!(Refusal::from(error).fields.is_empty());
            return;
        }
    };
    assert!((1..=64).contains(&unverified.key_id().len()));
    let signature = URL_SAFE_NO_PAD.encode(unverified.signature());
    let whole = [unverified.signed_bytes(), b".", signature.as_bytes()].concat();
    assert_eq!(whole, token.as_bytes());
    assert!(unverified.clone().believe(false, ISSUER, now()).is_err());
    if let Ok(claims) = unverified.believe(true, ISSUER, now()) {
        assert_eq!(
            (claims.iss.as_str(), claims.sub),
            (ISSUER, claims.wallet_address)
        );
    }
}

/// A key that is used is one of the set, 32 bytes; a set without any changes nothing.
pub(crate) fn jwks(input: &[u8]) {
    let Ok(set) = serde_json::from_slice::<Jwks>(input) else {
        return;
    };
    let mut cache = KeyCache::new();
    assert_eq!(cache.decide("k", now()), Decision::Fetch);
    cache.fetched(&set, now());
    let mut usable = 0;
    for key in &set.keys {
        match cache.settled(&key.kid) {
            Decision::Use(bytes) => {
                usable += 1;
                let among = set.keys.iter().filter(|other| other.kid == key.kid);
                let texts: Vec<&str> = among.map(|other| other.x.as_str()).collect();
                assert!(texts.contains(&URL_SAFE_NO_PAD.encode(bytes).as_str()));
            }
            Decision::Unknown | Decision::Unavailable => {}
            other => assert_eq!(other, Decision::Unknown),
        }
    }
    let none = cache
        .settled("no such key, whatever the set: a name of more than sixty-four bytes, of ours");
    assert_eq!(none == Decision::Unavailable, usable == 0);
}
