//! Canonical JSON: RFC 8785 (JCS) for values without fractions.
//!
//! Members are sorted by their names' UTF-16 code units, nothing stands between tokens, strings are escaped
//! as little as JSON allows, numbers are integers of at most 2^53 − 1 in magnitude.

use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;

/// The largest integer that every JSON reader takes exactly.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// A value that has no canonical form here.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// Fractions and integers beyond [`MAX_INTEGER`].
    #[error("{0} is not an integer that JSON keeps exactly")]
    Number(serde_json::Number),
    /// A type that JSON cannot hold.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// The canonical bytes of `value`.
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let mut text = String::new();
    write(&serde_json::to_value(value)?, &mut text)?;
    Ok(text.into_bytes())
}

fn write(value: &Value, out: &mut String) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => {
            let magnitude = number
                .as_u64()
                .or_else(|| number.as_i64().map(i64::unsigned_abs))
                .filter(|magnitude| *magnitude <= MAX_INTEGER)
                .ok_or_else(|| CanonicalError::Number(number.clone()))?;
            let sign = if number.as_i64().is_some_and(i64::is_negative) {
                "-"
            } else {
                ""
            };
            let _ = write!(out, "{sign}{magnitude}");
        }
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            // Whether serde_json's map is sorted depends on a feature that any crate may switch.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (at, (name, member)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_string(name, out);
                out.push(':');
                write(member, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(value: &Value) -> String {
        String::from_utf8(to_bytes(value).unwrap()).unwrap()
    }

    #[test]
    fn members_are_sorted_as_rfc_8785_section_3_2_3_has_it() {
        let value = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control", "\u{f6}": "Latin o"
        });
        assert_eq!(
            text(&value),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"\u{f6}\":\"Latin o\",\
             \"\u{20ac}\":\"Euro Sign\",\"\u{1f600}\":\"Emoji: Grinning Face\",\
             \"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}"
        );
    }

    #[test]
    fn strings_are_escaped_as_rfc_8785_section_3_2_2_has_it() {
        let value =
            json!({ "string": "\u{20ac}$\u{f}\nA'B\"\\\\\"/", "literals": [null, true, false] });
        assert_eq!(
            text(&value),
            "{\"literals\":[null,true,false],\"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
    }

    #[test]
    fn numbers_that_readers_would_round_are_refused() {
        assert_eq!(
            text(&json!([0, -1, MAX_INTEGER])),
            "[0,-1,9007199254740991]"
        );
        for bad in [json!(1.5), json!(MAX_INTEGER + 1), json!(i64::MIN)] {
            assert!(to_bytes(&bad).is_err(), "{bad}");
        }
    }
}
