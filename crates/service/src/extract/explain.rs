//! Turns a deserializer's complaint into one that can be shown: where, and what to send instead. Serde's
//! own texts repeat the input, so only the parts that come from our types are kept.

use crate::ApiError;
use contracts::Code;
use serde_path_to_error::{Path, Segment};
use std::fmt::Write as _;

/// Names of the caller's identity: it comes from the token, never from a body that has no such field.
const IDENTITY_FIELDS: [&str; 4] = ["userId", "influencerId", "wallet", "walletAddress"];

/// The error for a value at `path` that was refused with `message`.
pub(super) fn refused(path: &Path, message: &str) -> ApiError {
    // serde_json appends a position; serde's text for unknown fields and wrong kinds ends in what was
    // expected, which is ours, after what was found, which is the caller's.
    let text = message
        .rsplit_once(" at line ")
        .map_or(message, |(text, _)| text);
    let pointer = pointer(path);
    if let Some(rest) = text.strip_prefix("missing field `") {
        let name = rest.trim_end_matches('`');
        return ApiError::invalid(format!("{pointer}/{}", escape(name)), "is required");
    }
    if let Some(rest) = text.strip_prefix("unknown field `") {
        return unknown_field(path, rest);
    }
    if text.starts_with("duplicate field `") {
        return ApiError::invalid(pointer, "is given twice");
    }
    let found_expected = [
        "invalid type: ",
        "invalid value: ",
        "invalid length ",
        "unknown variant `",
    ];
    if found_expected.iter().any(|start| text.starts_with(start)) {
        return match text.rsplit_once(", expected ") {
            Some((_, expected)) => ApiError::invalid(pointer, format!("expected {expected}")),
            None => ApiError::invalid(pointer, "is not valid"),
        };
    }
    if text.starts_with("UUID parsing failed") {
        return ApiError::invalid(pointer, "not a valid UUID");
    }
    if text.starts_with("invalid digit") || text.starts_with("number too") {
        return ApiError::invalid(pointer, "not a whole number in range");
    }
    // The remaining texts are those of our own types, which never repeat the input.
    ApiError::invalid(pointer, text)
}

fn unknown_field(path: &Path, rest: &str) -> ApiError {
    let (name, known) = match rest.rsplit_once("`, expected ") {
        Some((name, expected)) => (name, Some(expected)),
        None => (rest.split('`').next().unwrap_or_default(), None),
    };
    if IDENTITY_FIELDS.contains(&name) {
        return ApiError::of(Code::RequestIdentityInBody);
    }
    let message = match known.map(|known| known.trim_start_matches("one of ")) {
        Some(known) => format!("has a field that is not known here; known: {known}"),
        None => "has a field that is not known here".to_owned(),
    };
    // The path ends in the unknown name itself, which is the caller's text: point at its parent.
    let segments: Vec<&Segment> = path.iter().collect();
    let parent = match segments.split_last() {
        Some((Segment::Map { key }, parent)) if key == name => parent,
        _ => segments.as_slice(),
    };
    ApiError::invalid(segments_pointer(parent.iter().copied()), message)
}

/// `path` as a JSON pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    segments_pointer(path.iter())
}

fn segments_pointer<'a>(segments: impl Iterator<Item = &'a Segment>) -> String {
    let mut pointer = String::new();
    for segment in segments {
        match segment {
            Segment::Seq { index } => {
                let _ = write!(pointer, "/{index}");
            }
            Segment::Map { key } => {
                let _ = write!(pointer, "/{}", escape(key));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
