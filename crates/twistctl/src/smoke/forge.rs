//! Tokens that must not be believed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// The parts of a JWT.
pub(crate) struct Parts<'a> {
    pub(crate) header: &'a str,
    pub(crate) claims: &'a str,
    pub(crate) signature: &'a str,
}

pub(crate) fn parts(token: &str) -> Option<Parts<'_>> {
    let mut parts = token.split('.');
    let found = Parts {
        header: parts.next()?,
        claims: parts.next()?,
        signature: parts.next()?,
    };
    parts.next().is_none().then_some(found)
}

pub(crate) fn decode(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The token with a claim changed under its old signature.
pub(crate) fn altered(token: &str, claim: &str, value: Value) -> Option<String> {
    let parts = parts(token)?;
    let mut claims = decode(parts.claims)?;
    claims.as_object_mut()?.insert(claim.to_owned(), value);
    Some(format!(
        "{}.{}.{}",
        parts.header,
        encode(&claims),
        parts.signature
    ))
}

/// The claims under `alg: none`.
pub(crate) fn unsigned(token: &str) -> Option<String> {
    let parts = parts(token)?;
    let header = encode(&json!({"alg": "none", "typ": "at+jwt", "kid": kid(parts.header)?}));
    Some(format!("{header}.{}.", parts.claims))
}

/// The claims under `HS256`, with the public key as the secret.
pub(crate) fn hs256(token: &str, public_key: &[u8]) -> Option<String> {
    let parts = parts(token)?;
    let header = encode(&json!({"alg": "HS256", "typ": "at+jwt", "kid": kid(parts.header)?}));
    let message = format!("{header}.{}", parts.claims);
    let mut mac = Hmac::<Sha256>::new_from_slice(public_key).ok()?;
    mac.update(message.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    Some(format!("{message}.{signature}"))
}

fn kid(header: &str) -> Option<Value> {
    decode(header)?.get("kid").cloned()
}
