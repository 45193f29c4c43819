//! Values that must not come out again, in every form that a program may give them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::fmt;

/// Shorter texts are found where they are not.
const SHORTEST: usize = 8;

/// A canary where it should not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The canary's name.
    pub canary: String,
    /// In which form.
    pub form: &'static str,
    /// Where, with a little of what is around it.
    pub place: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            canary,
            form,
            place,
        } = self;
        write!(f, "{canary} ({form}) in {place}")
    }
}

#[derive(Debug, Clone)]
struct Canary {
    name: String,
    forms: Vec<(&'static str, String)>,
}

/// The canaries of a test.
#[derive(Debug, Clone, Default)]
pub struct Canaries(Vec<Canary>);

impl Canaries {
    /// Watches for `text`: as it is, in hex, and in base64 at any offset. Gives it back.
    pub fn watch(&mut self, name: &str, text: &str) -> String {
        self.add(name, Some(text), text.as_bytes());
        text.to_owned()
    }

    /// Watches for bytes in hex and base64.
    pub fn watch_bytes(&mut self, name: &str, bytes: &[u8]) {
        self.add(name, None, bytes);
    }

    /// Everything of `text` that is a canary. `place` says where `text` is from.
    pub fn find(&self, place: &str, text: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        for canary in &self.0 {
            for (form, needle) in &canary.forms {
                if let Some(at) = text.find(needle.as_str()) {
                    let around = around(text, at, needle.len());
                    found.push(Finding {
                        canary: canary.name.clone(),
                        form,
                        place: format!("{place}: …{around}…"),
                    });
                }
            }
        }
        found
    }

    fn add(&mut self, name: &str, text: Option<&str>, bytes: &[u8]) {
        assert!(bytes.len() >= SHORTEST, "{name} is too short to be found");
        let mut forms: Vec<(&'static str, String)> = Vec::new();
        forms.extend(text.map(|text| ("as it is", text.to_owned())));
        forms.push(("hex", hex::encode(bytes)));
        forms.push(("hex", hex::encode_upper(bytes)));
        for offset in 0..3 {
            forms.push((
                "base64",
                inside(bytes, offset, |b| STANDARD_NO_PAD.encode(b)),
            ));
            forms.push((
                "base64url",
                inside(bytes, offset, |b| URL_SAFE_NO_PAD.encode(b)),
            ));
        }
        forms.dedup();
        self.0.push(Canary {
            name: name.to_owned(),
            forms,
        });
    }
}

/// The characters of a base64 text that stand for nothing but `bytes`, where `offset` others come before them.
fn inside(bytes: &[u8], offset: usize, encode: impl Fn(&[u8]) -> String) -> String {
    let text = encode(&[vec![0; offset], bytes.to_vec()].concat());
    let first = (offset * 8).div_ceil(6);
    let last = (offset + bytes.len()) * 8 / 6;
    text.get(first..last).unwrap_or_default().to_owned()
}

fn around(text: &str, at: usize, len: usize) -> String {
    let before: String = text
        .get(..at)
        .unwrap_or_default()
        .chars()
        .rev()
        .take(60)
        .collect();
    let after = text.get(at..).unwrap_or_default();
    let before: String = before.chars().rev().collect();
    before + &after.chars().take(len + 20).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_in_every_form_and_at_every_offset() {
        let mut canaries = Canaries::default();
        canaries.watch("it", "canary-0123456789");
        for before in ["", "a", "ab", "abc"] {
            let whole = format!("{before}canary-0123456789?~>after");
            for text in [
                whole.clone(),
                hex::encode(&whole),
                hex::encode_upper(&whole),
                STANDARD_NO_PAD.encode(&whole),
                URL_SAFE_NO_PAD.encode(&whole),
            ] {
                let found = canaries.find("here", &format!("xx {text} yy"));
                assert!(!found.is_empty(), "{text}");
            }
        }
        assert_eq!(canaries.find("here", "canary-012345678"), []);
    }

    #[test]
    fn bytes_are_found_without_being_text() {
        let mut canaries = Canaries::default();
        canaries.watch_bytes("key", &[0xfb; 16]);
        assert_eq!(
            canaries
                .find("row", &format!("\\x{}", "fb".repeat(16)))
                .len(),
            1
        );
        assert_eq!(canaries.find("row", &"fb".repeat(15)).len(), 0);
    }
}
