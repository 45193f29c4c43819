//! Client data: what the browser says about the page that asked.

use super::{Policy, Reason};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// Longer than any browser's.
pub(super) const MAX_BYTES: usize = 2_048;

/// What the page asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ceremony {
    /// A new credential.
    Create,
    /// A signature by an old one.
    Get,
}

/// Other members may come with it; browsers add some on purpose.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

/// Whether it is from one of our pages, for this very challenge.
pub(super) fn check(
    bytes: &[u8],
    ceremony: Ceremony,
    challenge: &[u8; 32],
    policy: &Policy,
) -> Result<(), Reason> {
    // A list would be read as the members' values in order; no browser writes one.
    if bytes.len() > MAX_BYTES || bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Reason::Malformed);
    }
    let data: ClientData = serde_json::from_slice(bytes).map_err(|_| Reason::Malformed)?;
    let expected = match ceremony {
        Ceremony::Create => "webauthn.create",
        Ceremony::Get => "webauthn.get",
    };
    if data.r#type != expected {
        return Err(Reason::Type);
    }
    if data.challenge != URL_SAFE_NO_PAD.encode(challenge) {
        return Err(Reason::Challenge);
    }
    if data.cross_origin || !policy.origins.contains(&data.origin) {
        return Err(Reason::Origin);
    }
    Ok(())
}
