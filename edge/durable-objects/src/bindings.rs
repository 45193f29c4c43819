//! Typed access to the Worker's environment.

use edge_core::attestation::Policy;
use edge_core::{Settings, SettingsError, audit, bindings, cohort};
use worker::{Bucket, Env, ObjectNamespace, Queue};

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

    /// Which site and pages authenticators vouch for.
    pub fn attestation_policy(&self) -> Result<Policy, SettingsError> {
        Policy::read(|name| self.0.var(name).ok().map(|value| value.to_string()))
    }

    /// The queue of segments.
    pub fn queue(&self) -> worker::Result<Queue> {
        self.0.queue(bindings::QUEUE)
    }

    /// The queue of what hours have promised.
    pub fn reward_queue(&self) -> worker::Result<Queue> {
        self.0.queue(bindings::REWARD_QUEUE)
    }

    /// The queue of hours' figures.
    pub fn analytics_queue(&self) -> worker::Result<Queue> {
        self.0.queue(bindings::ANALYTICS_QUEUE)
    }

    /// The variables and secrets of the audit log, checked.
    pub fn audit_config(&self) -> Result<audit::Config, SettingsError> {
        audit::Config::read(|name| self.0.var(name).ok().map(|value| value.to_string()))
    }

    /// The object that chains audit records.
    pub fn audit_log(&self) -> worker::Result<ObjectNamespace> {
        self.0.durable_object(bindings::AUDIT_LOG)
    }

    /// The variables and secrets of cohorts, checked.
    pub fn cohort_config(&self) -> Result<cohort::Config, SettingsError> {
        cohort::Config::read(|name| self.0.var(name).ok().map(|value| value.to_string()))
    }

    /// The object that counts members of cohorts.
    pub fn cohort_census(&self) -> worker::Result<ObjectNamespace> {
        self.0.durable_object(bindings::COHORT_CENSUS)
    }

    /// Where the audit log's segments and roots go.
    pub fn audit_bucket(&self) -> worker::Result<Bucket> {
        self.0.bucket(bindings::AUDIT_LOGS)
    }
}
