//! Typed access to the Worker's environment.

use edge_core::{Settings, SettingsError, bindings};
use worker::{Env, ObjectNamespace, Queue};

/// The environment, by meaning instead of by name.
#[derive(Debug, Clone)]
pub struct Bindings(Env);

impl Bindings {
    /// Wraps the environment of a call.
    pub const fn new(env: Env) -> Self {
        Self(env)
    }

    /// The variables and secrets, checked.
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        Settings::read(|name| self.0.var(name).ok().map(|value| value.to_string()))
    }

    /// The Durable Objects that accept VAUs.
    pub fn shards(&self) -> worker::Result<ObjectNamespace> {
        self.0.durable_object(bindings::SHARD)
    }

    /// The queue to the consumer.
    pub fn queue(&self) -> worker::Result<Queue> {
        self.0.queue(bindings::QUEUE)
    }
}
