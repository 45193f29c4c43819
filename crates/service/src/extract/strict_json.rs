//! What JSON leaves open and we do not: a body is UTF-8 and no object has a key twice, since two readers
//! of such a body may see two different requests.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

/// Checks the form of `bytes`; says what is wrong with it.
pub(super) fn check(bytes: &[u8]) -> Result<(), &'static str> {
    if std::str::from_utf8(bytes).is_err() {
        return Err("The body is not UTF-8.");
    }
    match serde_json::from_slice::<Form>(bytes) {
        Ok(Form) => Ok(()),
        Err(error) if error.is_data() => Err("The body has an object with the same key twice."),
        Err(_) => Err("The body is not valid JSON."),
    }
}

/// Any JSON value, read only to see its form.
struct Form;

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FormVisitor)
    }
}

struct FormVisitor;

impl<'de> Visitor<'de> for FormVisitor {
    type Value = Form;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Form, E> {
        Ok(Form)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Form, E> {
        Ok(Form)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Form, E> {
        Ok(Form)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Form, E> {
        Ok(Form)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Form, E> {
        Ok(Form)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Form, E> {
        Ok(Form)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Form, A::Error> {
        while seq.next_element::<Form>()?.is_some() {}
        Ok(Form)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Form, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key) {
                return Err(de::Error::custom("duplicate key"));
            }
            map.next_value::<Form>()?;
        }
        Ok(Form)
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_body_that_two_readers_could_read_differently_is_refused() {
        for good in [
            r#"{"a":1,"b":{"a":2}}"#,
            "[]",
            "null",
            r#"[{"a":1},{"a":2}]"#,
            "-1.5e3",
        ] {
            assert_eq!(check(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in [
            r#"{"a":1,"a":1}"#,
            r#"{"x":[{"a":1,"\u0061":2}]}"#,
            r#"{"a":1"#,
            r#"{"a":1}}"#,
            "",
            "{'a':1}",
        ] {
            assert!(check(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(check(b"\"\xff\"").is_err());
        assert!(
            check("[".repeat(100_000).as_bytes()).is_err(),
            "nested without end"
        );
    }
}
