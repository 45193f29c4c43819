//! The Workers of the local platform: their bundles and their configuration.

use crate::CtlError;
use crate::build::{BUNDLE, WORKERS};
use crate::platform::launch::Launch;
use crate::platform::secrets::write_private;
use crate::platform::{Part, Secrets};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// Every file of every bundle: the artifact and the module.
pub(super) fn modules() -> impl Iterator<Item = (&'static str, &'static str)> {
    WORKERS
        .into_iter()
        .flat_map(|worker| BUNDLE.map(|module| (worker, module)))
}

impl Launch<'_> {
    /// What `edge/local/serve.mjs` reads.
    pub(super) fn edge_config(&self) -> Value {
        json!({
            "host": "127.0.0.1",
            "port": self.ports.edge,
            "persistDir": self.paths.state.join("edge/storage"),
            "workers": {
                "security-worker": {
                    "bundleDir": self.bundles().join("edge-security-worker"),
                    "vars": self.guard_vars(),
                },
                "vau-processor": {
                    "bundleDir": self.bundles().join("edge-vau-processor"),
                    "vars": self.edge_vars(),
                },
            },
        })
    }

    fn edge_vars(&self) -> Value {
        let issuer = self.ports.url(Part::Auth);
        let integrators = json!({ Secrets::INTEGRATOR: self.secrets.integrator }).to_string();
        let vars = json!({
            "JWKS_URL": format!("{issuer}/.well-known/jwks.json"),
            "TOKEN_ISSUER": issuer,
            "BACKEND_URL": self.ports.url(Part::Api),
            "BACKEND_KEY_ID": Secrets::INGEST_KEY,
            "BACKEND_HMAC_SECRET": self.secrets.ingest,
            "INTEGRATOR_KEYS": integrators,
            "FLUSH_INTERVAL_MS": "200",
            "FREE_TIER": "off",
            "OPERATOR_TOKEN": self.secrets.operator(),
            "COHORT_SECRET": self.secrets.cohorts(),
        });
        changed(vars, &self.options.edge_vars)
    }

    fn guard_vars(&self) -> Value {
        let vars = json!({
            "CHALLENGE_SECRET": self.secrets.challenge(),
            // Everybody on this machine is one address.
            "RATE_READ_PER_MINUTE": "1000000",
        });
        changed(vars, &self.options.guard_vars)
    }

    /// The copies of the bundles that run: the next build may replace the originals under the Workers' feet.
    fn bundles(&self) -> PathBuf {
        self.paths.state.join("edge/bundles")
    }

    pub(super) fn copy_bundles(&self) -> Result<(), CtlError> {
        for (worker, module) in modules() {
            let folder = self.bundles().join(worker);
            fs::create_dir_all(&folder).map_err(CtlError::io("make", &folder))?;
            let (from, to) = (
                self.artifacts.bundles.join(worker).join(module),
                folder.join(module),
            );
            let bytes = fs::read(&from).map_err(CtlError::io("read", &from))?;
            fs::write(&to, bytes).map_err(CtlError::io("write", &to))?;
        }
        Ok(())
    }

    pub(super) fn edge_config_file(&self) -> PathBuf {
        self.paths.state.join("edge/config.json")
    }

    pub(super) fn write_edge_config(&self) -> Result<(), CtlError> {
        write_private(
            &self.edge_config_file(),
            self.edge_config().to_string().as_bytes(),
        )
    }
}

/// `vars` with what an option changes.
fn changed(mut vars: Value, changes: &BTreeMap<String, String>) -> Value {
    for (name, value) in changes {
        if let Some(vars) = vars.as_object_mut() {
            vars.insert(name.clone(), json!(value));
        }
    }
    vars
}
