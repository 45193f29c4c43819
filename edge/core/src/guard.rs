//! The settings of security-worker, read once and checked.

use crate::SettingsError;
use crate::bindings::guard as name;
use crate::settings::list;

/// Everything that differs between environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardSettings {
    /// Exact web origins.
    pub allowed_origins: Vec<String>,
}

impl GuardSettings {
    /// Reads the bindings through `value`, which gives a binding's text or nothing.
    pub fn read(value: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        Ok(Self {
            allowed_origins: list(value(name::ALLOWED_ORIGINS)),
        })
    }
}
