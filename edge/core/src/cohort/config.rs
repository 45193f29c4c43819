//! What a deployment says about cohorts.

use super::K;
use crate::bindings::{COHORT_K, COHORT_SECRET};
use crate::{Secret, SettingsError};

/// A secret shorter than this can be guessed.
const MIN_SECRET_BYTES: usize = 16;

/// The variables, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What salts and pseudonyms follow from.
    pub secret: Secret,
    /// Members a cohort needs to be in a filter.
    pub k: u32,
}

impl Config {
    /// Reads the bindings through `value`, which gives a binding's text or nothing.
    pub fn read(value: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let given = |name| value(name).filter(|text| !text.is_empty());
        let secret = given(COHORT_SECRET).ok_or(SettingsError::Missing(COHORT_SECRET))?;
        if secret.len() < MIN_SECRET_BYTES {
            return Err(SettingsError::Malformed(COHORT_SECRET, "16 bytes or more"));
        }
        let k = match given(COHORT_K) {
            None => K,
            Some(text) => text
                .parse()
                .ok()
                .filter(|k| (2..=1_000).contains(k))
                .ok_or(SettingsError::Malformed(
                    COHORT_K,
                    "a whole number in range",
                ))?,
        };
        Ok(Self {
            secret: Secret::new(secret),
            k,
        })
    }
}
