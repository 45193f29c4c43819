//! Typed access to the Worker's environment.

use edge_core::bindings::guard;
use edge_core::{GuardSettings, SettingsError};
use worker::{Env, Fetcher};

/// The environment, by meaning instead of by name.
#[derive(Debug, Clone)]
pub(crate) struct Bindings(Env);

impl Bindings {
    /// Wraps the environment of a call.
    pub(crate) const fn new(env: Env) -> Self {
        Self(env)
    }

    /// The variables and secrets, checked.
    pub(crate) fn settings(&self) -> Result<GuardSettings, SettingsError> {
        GuardSettings::read(|name| self.0.var(name).ok().map(|value| value.to_string()))
    }

    /// The Worker behind.
    pub(crate) fn vau_processor(&self) -> worker::Result<Fetcher> {
        self.0.service(guard::VAU_PROCESSOR)
    }
}
