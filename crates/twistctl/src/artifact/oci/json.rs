//! JSON from strangers.

use super::OciError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;

const MOST_BYTES: usize = 4 << 20;

pub(super) fn read<T: DeserializeOwned>(entry: &str, bytes: &[u8]) -> Result<T, OciError> {
    if bytes.len() > MOST_BYTES {
        return Err(OciError::damaged(entry, "is larger than 4 MiB"));
    }
    serde_json::from_slice(bytes).map_err(|error| unreadable(entry, &error))
}

/// The same for a document that says which bytes are meant, and that no hash of the manifest covers.
///
/// Container runtimes read JSON without regard to upper and lower case. A document with `Layers` and
/// `layers` would name one image here and another there.
pub(super) fn read_unambiguous<T: DeserializeOwned>(
    entry: &str,
    bytes: &[u8],
) -> Result<T, OciError> {
    let read = read(entry, bytes)?;
    let value: Value = serde_json::from_slice(bytes).map_err(|error| unreadable(entry, &error))?;
    match twice(&value) {
        Some(member) => Err(OciError::damaged(
            entry,
            format!("has the member {member:?} twice for readers that ignore case"),
        )),
        None => Ok(read),
    }
}

fn twice(value: &Value) -> Option<&str> {
    match value {
        Value::Array(items) => items.iter().find_map(twice),
        Value::Object(members) => {
            let mut seen = BTreeSet::new();
            members.iter().find_map(|(name, value)| {
                if seen.insert(folded(name)) {
                    twice(value)
                } else {
                    Some(name.as_str())
                }
            })
        }
        _ => None,
    }
}

/// As Go compares names: by simple case folding, in which these two signs are letters as well.
fn folded(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            other => other,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

fn unreadable(entry: &str, error: &serde_json::Error) -> OciError {
    OciError::damaged(entry, format!("cannot be read: {error}"))
}
