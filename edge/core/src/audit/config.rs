//! What a deployment says about the log.

use super::root::signing_key;
use crate::SettingsError;
use crate::bindings::{AUDIT_FLUSH_MS, AUDIT_SIGNING_KEY};
use std::fmt;

/// The log's variables, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// How long a record waits for others before its segment is closed.
    pub flush_ms: u64,
    /// PKCS#8 of the key that signs the days' roots; without it none are made until there is one.
    pub signing_key: Option<Vec<u8>>,
}

impl Config {
    /// Reads the bindings through `value`, which gives a binding's text or nothing.
    pub fn read(value: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let given = |name| value(name).filter(|text| !text.is_empty());
        let flush_ms = match given(AUDIT_FLUSH_MS) {
            None => 300_000,
            Some(text) => text
                .parse()
                .ok()
                .filter(|ms| (1..=86_400_000).contains(ms))
                .ok_or(SettingsError::Malformed(
                    AUDIT_FLUSH_MS,
                    "a whole number in range",
                ))?,
        };
        let signing_key = match given(AUDIT_SIGNING_KEY) {
            None => None,
            Some(pem) => Some(signing_key(&pem).ok_or(SettingsError::Malformed(
                AUDIT_SIGNING_KEY,
                "an Ed25519 private key in PEM form",
            ))?),
        };
        Ok(Self {
            flush_ms,
            signing_key,
        })
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("flush_ms", &self.flush_ms)
            .field("signs", &self.signing_key.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_cannot_sign_is_refused_and_never_printed() {
        let bad = |name: &str| (name == AUDIT_SIGNING_KEY).then(|| "c2VjcmV0".to_owned());
        let error = Config::read(bad).unwrap_err().to_string();
        assert!(error.contains(AUDIT_SIGNING_KEY) && !error.contains("c2Vj"));
        let config = Config::read(|_| None).unwrap();
        assert_eq!(
            (config.flush_ms, config.signing_key.clone()),
            (300_000, None)
        );
        let config = Config {
            signing_key: Some(b"hush".to_vec()),
            ..config
        };
        assert!(!format!("{config:?}").contains("104"));
    }
}
