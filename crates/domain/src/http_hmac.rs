//! HMAC-SHA-256 over an HTTP request, for integrators and between the edge and the backend.
//!
//! String to sign: method, path (no query), `X-Timestamp` (epoch ms), raw body, joined by `\n`.
//! Signature: lower-case hex in `X-HMAC-Signature`; `X-Key-Id` names the secret.

use crate::time::{EpochMs, Window};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How far `X-Timestamp` may lie from our clock, either way.
pub const WINDOW_MS: u64 = 300_000;

/// Header that names the secret.
pub const KEY_ID_HEADER: &str = "x-key-id";
/// Header with the time of signing, epoch milliseconds.
pub const TIMESTAMP_HEADER: &str = "x-timestamp";
/// Header with the signature, lower-case hex.
pub const SIGNATURE_HEADER: &str = "x-hmac-signature";

/// The parts of a request that are signed.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// Upper-case method.
    pub method: &'a str,
    /// Path without query.
    pub path: &'a str,
    /// `X-Timestamp`.
    pub timestamp: EpochMs,
    /// The body's bytes as they travel; empty when there is none.
    pub body: &'a [u8],
}

/// The signature does not hold or its time is outside the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HmacError {
    /// Not 64 hex digits, or not the signature of this request.
    #[error("request signature is not valid")]
    Invalid,
    /// `X-Timestamp` is more than five minutes off.
    #[error("X-Timestamp is more than five minutes from the server's clock")]
    Window,
}

impl SignedRequest<'_> {
    /// The signature, lower-case hex.
    pub fn sign(&self, secret: &[u8]) -> String {
        hex::encode(self.mac(secret).finalize().into_bytes())
    }

    /// Checks `signature` in constant time, and the timestamp against `now`.
    pub fn verify(&self, secret: &[u8], signature: &str, now: EpochMs) -> Result<(), HmacError> {
        let bytes = hex::decode(signature).map_err(|_| HmacError::Invalid)?;
        self.mac(secret)
            .verify_slice(&bytes)
            .map_err(|_| HmacError::Invalid)?;
        match self.timestamp.within(now, WINDOW_MS, WINDOW_MS) {
            Window::Inside => Ok(()),
            Window::Past | Window::Future => Err(HmacError::Window),
        }
    }

    fn mac(&self, secret: &[u8]) -> Hmac<Sha256> {
        let timestamp = self.timestamp.to_string();
        let mut mac = keyed(secret);
        for part in [
            self.method.as_bytes(),
            self.path.as_bytes(),
            timestamp.as_bytes(),
        ] {
            mac.update(part);
            mac.update(b"\n");
        }
        mac.update(self.body);
        mac
    }
}

/// HMAC-SHA-256 of `message`.
pub fn hmac_sha256(secret: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = keyed(secret);
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn keyed(secret: &[u8]) -> Hmac<Sha256> {
    // Keys longer than a block are hashed first (RFC 2104), so every length is a valid key; the
    // empty fallback can therefore not be reached.
    Hmac::<Sha256>::new_from_slice(secret)
        .unwrap_or_else(|_| Hmac::<Sha256>::new(&hmac::digest::Key::<Hmac<Sha256>>::default()))
}
