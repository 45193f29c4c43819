//! The texts of a JSON document, one after the other, without building it.

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::fmt;

/// How deep a document of ours may be. A batch with attestations has five levels.
const MAX_DEPTH: u8 = 32;
/// Members and elements that are read at all.
const MAX_COUNT: u32 = 20_000;
/// The member of a VAU that is not ours to read: what the site wrote.
const OPAQUE: &str = "payload";

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// The name of a member.
    Name,
    /// A value.
    Value,
    /// The value of a VAU's `payload`.
    Opaque,
}

/// The document is not JSON, or larger than any of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotJson;

/// Calls `see` for every name and text of `document`.
pub(super) fn walk(document: &[u8], see: &mut dyn FnMut(Text, &str)) -> Result<(), NotJson> {
    let mut reader = serde_json::Deserializer::from_slice(document);
    let count = Cell::new(0);
    let walk = Walk {
        see,
        count: &count,
        depth: 0,
        text: Text::Value,
    };
    walk.deserialize(&mut reader).map_err(|_| NotJson)?;
    reader.end().map_err(|_| NotJson)
}

struct Walk<'w> {
    see: &'w mut dyn FnMut(Text, &str),
    count: &'w Cell<u32>,
    depth: u8,
    text: Text,
}

impl Walk<'_> {
    fn deeper<E: Error>(&mut self, text: Text) -> Result<Walk<'_>, E> {
        self.count.set(self.count.get().saturating_add(1));
        if self.depth >= MAX_DEPTH || self.count.get() > MAX_COUNT {
            return Err(E::custom("too much"));
        }
        Ok(Walk {
            see: self.see,
            count: self.count,
            depth: self.depth + 1,
            text,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        (self.see)(self.text, text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        let text = self.text;
        while elements.next_element_seed(self.deeper(text)?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        while let Some(Name(opaque)) = members.next_key_seed(NameSeed(self.see))? {
            let text = if opaque { Text::Opaque } else { self.text };
            members.next_value_seed(self.deeper(text)?)?;
        }
        Ok(())
    }
}

/// Whether a member is the opaque one.
struct Name(bool);

struct NameSeed<'w>(&'w mut dyn FnMut(Text, &str));

impl<'de> DeserializeSeed<'de> for NameSeed<'_> {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        (self.0)(Text::Name, &name);
        Ok(Name(name == OPAQUE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(document: &str) -> Result<Vec<(Text, String)>, NotJson> {
        let mut texts = Vec::new();
        walk(document.as_bytes(), &mut |kind, text| {
            texts.push((kind, text.to_owned()));
        })?;
        Ok(texts)
    }

    #[test]
    fn no_text_of_a_document_is_missed() {
        let seen = texts(r#"{"a":["\u003cb",{"c":true}],"payload":{"d":"e"},"f":null}"#).unwrap();
        let text = |kind, text: &str| (kind, text.to_owned());
        assert_eq!(
            seen,
            [
                text(Text::Name, "a"),
                text(Text::Value, "<b"),
                text(Text::Name, "c"),
                text(Text::Name, "payload"),
                text(Text::Name, "d"),
                text(Text::Opaque, "e"),
                text(Text::Name, "f"),
            ]
        );
    }

    #[test]
    fn a_document_without_end_is_not_read_to_its_end() {
        assert_eq!(texts(&"[".repeat(100_000)), Err(NotJson));
        assert_eq!(texts(&format!("[{}1]", "1,".repeat(30_000))), Err(NotJson));
        let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
        assert_eq!(texts(&deep), Err(NotJson));
        for bad in ["", "{", "{}{}", "nul", "\u{feff}{}", r#""\ud800""#] {
            assert_eq!(texts(bad), Err(NotJson), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_stop_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = walk(&bytes, &mut |_, _| {});
        }
    }
}
