//! A secret in a configuration.

use secrecy::SecretString;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::fmt;
use std::ops::Deref;

/// A secret: printed as `[REDACTED]`, wiped when dropped, read with
/// [`expose_secret`](secrecy::ExposeSecret::expose_secret).
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl Deref for Secret {
    type Target = SecretString;

    fn deref(&self) -> &SecretString {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

/// Takes text, and numbers too: a password of digits is read from the environment as a number. None of
/// the errors repeats the value.
struct SecretVisitor;

impl Visitor<'_> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret (text)")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
        Ok(text.to_owned().into())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Secret, E> {
        Ok(number.to_string().into())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Secret, E> {
        Ok(number.to_string().into())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Secret, E> {
        Ok(value.to_string().into())
    }
}
