//! From bytes to a VAU submission: media type, size, strict JSON, field rules.

use crate::Refusal;
use contracts::vau::{Attestation, VauSubmission};
use contracts::{Code, FieldError};
use domain::vau::{MAX_ATTESTATION_FIELD_BYTES, MAX_PAYLOAD_BYTES};
use domain::{DeviceId, EpochMs, SiteId, WalletAddress};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;

/// The longest body, in bytes.
pub const MAX_BODY_BYTES: usize = 32 * 1024;

/// Identities that a body may not name: they come from the token. `userId` is a field of a VAU.
const IDENTITIES: [&str; 8] = [
    "walletAddress",
    "influencerId",
    "uid",
    "sub",
    "sid",
    "roles",
    "wallet",
    "isAdmin",
];

/// Refuses bodies that do not say they are plain JSON.
pub fn check_media_type(
    content_type: Option<&str>,
    content_encoding: Option<&str>,
) -> Result<(), Refusal> {
    let mut parts = content_type.unwrap_or_default().split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|t| t.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.all(|p| {
        let p = p.replace('"', "").to_ascii_lowercase();
        p.is_empty() || p == "charset=utf-8" || !p.starts_with("charset=")
    });
    let plain = content_encoding.is_none_or(|e| e.eq_ignore_ascii_case("identity"));
    if json && utf8 && plain {
        Ok(())
    } else {
        Err(Refusal::new(
            Code::RequestUnsupportedMedia,
            "Send the body as application/json in UTF-8, not compressed.",
        ))
    }
}

/// The body is longer than [`MAX_BODY_BYTES`].
pub const fn too_large() -> Refusal {
    Refusal::new(
        Code::RequestTooLarge,
        "The body must not be longer than 32 KiB.",
    )
}

/// Reads a submission. Whatever is wrong is reported by JSON pointer.
pub fn parse(body: &[u8]) -> Result<VauSubmission, Refusal> {
    if body.len() > MAX_BODY_BYTES {
        return Err(too_large());
    }
    let read: Unsigned = read(body)?;
    if read.signature.is_none() {
        return Err(wrong("/signature".to_owned(), "is required"));
    }
    checked(read)
}

/// Reads a submission that may leave its signature out, since the batch around it is signed. Without one, the
/// signature is empty.
pub fn parse_unsigned(body: &[u8]) -> Result<VauSubmission, Refusal> {
    checked(read(body)?)
}

/// [`VauSubmission`] without the need for a signature.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Unsigned {
    user_id: WalletAddress,
    device_id: DeviceId,
    site_id: SiteId,
    timestamp: EpochMs,
    payload: String,
    #[serde(default, deserialize_with = "present")]
    signature: Option<String>,
    #[serde(default, deserialize_with = "object")]
    attestation: Option<Attestation>,
}

/// `null` is not the same as leaving a field out.
fn present<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<Option<String>, D::Error> {
    String::deserialize(reader).map(Some)
}

/// What is read for a struct may also be a list of its fields. A body has one form, so that is refused.
fn object<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<Option<Attestation>, D::Error> {
    struct Evidence;

    impl<'de> Visitor<'de> for Evidence {
        type Value = Option<Attestation>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
            Attestation::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }

    reader.deserialize_any(Evidence)
}

/// Reads one JSON object, completely.
pub(crate) fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    // As above: a list would do for `T`.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(match serde_json::from_slice::<IgnoredAny>(body) {
            Ok(_) => wrong(String::new(), expected("")),
            Err(_) => malformed(),
        });
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value: T = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| refusal(body, &pointer(error.path()), error.inner()))?;
    reader.end().map_err(|_| malformed())?;
    Ok(value)
}

fn checked(read: Unsigned) -> Result<VauSubmission, Refusal> {
    let Unsigned {
        user_id,
        device_id,
        site_id,
        timestamp,
        payload,
        signature,
        attestation,
    } = read;
    let signed = signature.is_some();
    let vau = VauSubmission {
        user_id,
        device_id,
        site_id,
        timestamp,
        payload,
        signature: signature.unwrap_or_default(),
        attestation,
    };
    let wrong = wrong_lengths(&vau, signed);
    if wrong.is_empty() {
        Ok(vau)
    } else {
        Err(Refusal::invalid(wrong))
    }
}

fn wrong(pointer: String, message: &str) -> Refusal {
    Refusal::invalid(vec![FieldError {
        pointer,
        message: message.to_owned(),
    }])
}

const fn malformed() -> Refusal {
    Refusal::new(
        Code::RequestMalformed,
        "The body is not one complete JSON object in UTF-8.",
    )
}

fn refusal(body: &[u8], at: &str, error: &serde_json::Error) -> Refusal {
    match error.classify() {
        Category::Io | Category::Syntax | Category::Eof => return malformed(),
        Category::Data => {}
    }
    // A data error is found before the rest is read; the rest may still not be JSON.
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) else {
        return malformed();
    };
    if IDENTITIES.iter().any(|name| value.get(name).is_some()) {
        return Refusal::new(
            Code::RequestIdentityInBody,
            "Leave identities other than userId out of the body; they come from the access token.",
        );
    }
    let text = error.to_string();
    // Names after "missing" and "duplicate" are those of our own type; that after "unknown" is the caller's.
    if let Some(name) = quoted(&text, "missing field `") {
        return wrong(format!("{at}/{name}"), "is required");
    }
    if let Some(name) = quoted(&text, "duplicate field `") {
        return wrong(format!("{at}/{name}"), "is there twice");
    }
    if text.starts_with("unknown field") {
        return wrong(parent(at), "has a field that is not part of it");
    }
    wrong(at.to_owned(), expected(at))
}

fn quoted<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.split('`').next()
}

/// What a field must be.
fn expected(pointer: &str) -> &'static str {
    match pointer {
        "" => "must be a JSON object",
        "/userId" => "must be a wallet address: base58 of 32 bytes",
        "/deviceId" => "must be a device id: 64 lower-case hex digits",
        "/siteId" => "must be 1 to 128 bytes without control characters",
        "/timestamp" | "/submittedAt" => "must be whole milliseconds since 1970, as a number",
        "/vaus" => "must be a list of VAUs",
        "/attestation" => "must be an object",
        _ => "must be a string",
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Map { key } => Some(format!("/{key}")),
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

/// An unknown field is reported at the object that holds it: its own name is the caller's text.
fn parent(pointer: &str) -> String {
    if pointer.starts_with("/attestation") {
        "/attestation".to_owned()
    } else {
        String::new()
    }
}

fn wrong_lengths(vau: &VauSubmission, signed: bool) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    let mut require = |holds: bool, pointer: &str, message: &str| {
        if !holds {
            wrong.push(FieldError {
                pointer: pointer.to_owned(),
                message: message.to_owned(),
            });
        }
    };
    require(
        vau.payload.len() <= MAX_PAYLOAD_BYTES,
        "/payload",
        "must not be longer than 8192 bytes",
    );
    require(
        !signed || crate::signature::parse(&vau.signature).is_some(),
        "/signature",
        "must be 128 lower-case hex digits",
    );
    if let Some(attestation) = &vau.attestation {
        for (pointer, text) in attestation_fields(attestation) {
            require(
                text.len() <= MAX_ATTESTATION_FIELD_BYTES,
                pointer,
                "must not be longer than 2048 bytes",
            );
        }
    }
    wrong
}

fn attestation_fields(a: &Attestation) -> [(&'static str, &str); 5] {
    [
        ("/attestation/credentialId", &a.credential_id),
        ("/attestation/clientDataJSON", &a.client_data_json),
        ("/attestation/authenticatorData", &a.authenticator_data),
        ("/attestation/signature", &a.signature),
        (
            "/attestation/userHandle",
            a.user_handle.as_deref().unwrap_or_default(),
        ),
    ]
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
