//! Heads of requests.

use crate::parts::{line, moment, now, text};
use domain::EpochMs;
use domain::http_hmac::SignedRequest;
use edge_core::challenge::{self, Scope, check, issue};
use edge_core::integrator::{self, HmacHeaders};
use edge_core::proxy::{Class, announces_too_much, find, forward};
use edge_core::{Secret, answer, client, signature};
use std::collections::{BTreeMap, BTreeSet};

/// Path, then headers, a line each. What passes has one spelling, is there once, and ends no line.
pub(crate) fn head(input: &[u8]) {
    let text = text(input);
    let (path, rest) = line(&text);
    if let Some(route) = find(path) {
        assert!(path.starts_with('/') && !path.contains("//") && !path.ends_with('/'));
        assert!(!route.answers("") && route.max_bytes() > 0);
    }
    let headers: Vec<(&str, &str)> = rest
        .split('\n')
        .filter_map(|line| line.split_once(": "))
        .collect();
    if let Ok(kept) = forward(headers.iter().copied()) {
        let names: BTreeSet<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.len(), kept.len());
        for (name, value) in &kept {
            assert!(!name.bytes().any(|b| b.is_ascii_uppercase()));
            assert!(!value.contains(['\r', '\n', '\0']));
        }
        let again = forward(kept.iter().map(|(n, v)| (n.as_str(), v.as_str())));
        assert_eq!(again.as_ref(), Ok(&kept));
    }
    for (_, value) in headers {
        let _ = announces_too_much(Some(value));
        if let Some(id) = client::request_id(Some(value)) {
            assert!((8..=64).contains(&id.len()) && id.is_ascii() && id == value);
        }
        let key = client::rate_key(Some(value));
        assert!(key.len() == 32 && key.bytes().all(|b| b.is_ascii_hexdigit()));
        let allowed = [String::from("https://app.example.org")];
        if let Some(origin) = answer::allowed_origin(Some(value), &allowed) {
            assert_eq!(origin, value);
        }
    }
}

/// Key id, time, signature, a line each, then the body. A signature that we made holds for what it was made for and for
/// nothing else; one that was made up does not.
pub(crate) fn integrator(input: &[u8]) {
    let text = text(input);
    let (key_id, rest) = line(&text);
    let (timestamp, rest) = line(rest);
    let (hex, body) = line(rest);
    if let Some(bytes) = signature::parse(hex) {
        assert_eq!(hex::encode(bytes), hex);
        let _ = signature::is_forgeable(&[9; 32], &bytes);
    }
    let secret = Secret::new("hush-hush-hush");
    let keys = BTreeMap::from([(key_id.to_owned(), secret.clone())]);
    let holds = |signature: &str, path: &str, body: &str| {
        let headers = HmacHeaders {
            key_id: Some(key_id),
            timestamp: Some(timestamp),
            signature: Some(signature),
        };
        integrator::check(headers, &keys, "POST", path, body.as_bytes(), now()).is_ok()
    };
    assert!(!holds(hex, "/api/v1/vau", body), "a guess holds");
    let sent_at = timestamp
        .parse::<u64>()
        .ok()
        .and_then(|ms| EpochMs::new(ms).ok());
    let Some(sent_at) = sent_at.filter(|ms| ms.to_string() == timestamp) else {
        return;
    };
    let request = SignedRequest {
        method: "POST",
        path: "/api/v1/vau",
        timestamp: sent_at,
        body: body.as_bytes(),
    };
    let signed = request.sign(secret.bytes());
    let inside = sent_at.get().abs_diff(now().get()) <= 300_000;
    assert_eq!(holds(&signed, "/api/v1/vau", body), inside);
    assert!(!holds(&signed, "/api/v1/vau/batch", body));
    assert!(!holds(&signed, "/api/v1/vau", &format!("{body} ")));
}

/// How hard, then an answer. No text is a proof but an answer to a challenge of ours, for its caller and route, in its
/// time.
pub(crate) fn challenge(input: &[u8]) {
    let key = Secret::new("a key of challenges");
    let scope = Scope {
        network: "192.0.2.1",
        class: Class::Vau,
    };
    let text = text(input);
    assert!(check(&key, &text, scope, now()).is_err(), "a guess holds");
    let (bits, answer) = line(&text);
    let bits = bits.parse::<u8>().unwrap_or_default() % 4;
    let proof = format!("{}.{answer}", issue(&key, [5; 16], bits, scope, now()));
    let solved = check(&key, &proof, scope, now());
    let expected = if bits == 0 {
        (1..=2_048).contains(&answer.len())
    } else {
        answer.len() <= challenge::MAX_ANSWER_BYTES
            && answer.bytes().all(|b| b.is_ascii_alphanumeric())
            && challenge::zero_bits(&proof) >= u32::from(bits)
    };
    assert_eq!(solved.is_ok(), expected);
    if let Ok(solved) = solved {
        assert_eq!(solved.token.as_deref(), (bits == 0).then_some(answer));
    }
    let elsewhere = Scope {
        class: Class::Read,
        ..scope
    };
    assert!(check(&key, &proof, elsewhere, now()).is_err());
    let late = moment(now().get() + challenge::TTL_MS);
    assert!(check(&key, &proof, scope, late).is_err());
}
