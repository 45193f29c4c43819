//! What may differ from one local platform to another.

use std::collections::BTreeMap;

/// Where ports come from on the first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortChoice {
    /// 3001, 3003, 3005, 8787, …, as far as they are free.
    Usual,
    /// Any free ones, so that a platform of a test is not taken for the developer's.
    Any,
}

/// Settings of a local platform.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where ports come from.
    pub ports: PortChoice,
    /// Bindings of vau-processor that differ from the local defaults.
    pub edge_vars: BTreeMap<String, String>,
    /// Bindings of security-worker that differ from the local defaults.
    pub guard_vars: BTreeMap<String, String>,
    /// Environment of auth-service that differs from the local defaults.
    pub auth_env: BTreeMap<String, String>,
    /// Environment of influencer-api that differs from the local defaults.
    pub api_env: BTreeMap<String, String>,
    /// Environment of settlement-worker that differs from the local defaults.
    pub settlement_env: BTreeMap<String, String>,
    /// Removes the state folder when the process that started the platform is gone.
    pub throwaway: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ports: PortChoice::Usual,
            edge_vars: BTreeMap::new(),
            guard_vars: BTreeMap::new(),
            auth_env: BTreeMap::new(),
            api_env: BTreeMap::new(),
            settlement_env: BTreeMap::new(),
            throwaway: false,
        }
    }
}
