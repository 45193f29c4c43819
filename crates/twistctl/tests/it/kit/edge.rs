//! Two scripts, an environment and an account to publish them to.

use super::cloudflare::{ACCOUNT, Cloudflare, TOKEN};
use super::release::put;
use super::{Answer, answer, noise, twistctl};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) const VAU: &str = "vau-processor-staging";
pub(crate) const SECURITY: &str = "security-worker-staging";

/// Everything that a command needs.
pub(crate) struct Edge {
    home: TempDir,
    pub(crate) cloudflare: Cloudflare,
}

impl Edge {
    pub(crate) fn new() -> Self {
        let edge = Self {
            home: tempfile::tempdir().unwrap(),
            cloudflare: Cloudflare::start(),
        };
        edge.cloudflare.provide(
            &["vau-segments-staging", "vau-segments-dead-staging"],
            &["edge-archive-staging"],
        );
        edge.write_bindings(&bindings());
        edge.write("values.toml", VALUES);
        for (bundle, seed) in [("edge-vau-processor", 1), ("edge-security-worker", 2)] {
            edge.build(bundle, seed);
        }
        edge
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn bundles(&self) -> PathBuf {
        self.home().join("dist")
    }

    /// Another program every time.
    pub(crate) fn build(&self, bundle: &str, seed: u64) {
        let js = format!("export default {{}}; // {seed}\n--not-a-boundary--\r\n");
        put(
            &self.bundles(),
            &format!("{bundle}/index.js"),
            js.as_bytes(),
            false,
        );
        put(
            &self.bundles(),
            &format!("{bundle}/index_bg.wasm"),
            &noise(70_000, seed),
            false,
        );
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.home().join(name), text).unwrap();
    }

    pub(crate) fn write_bindings(&self, list: &Value) {
        self.write("bindings.json", &list.to_string());
    }

    /// `twistctl edge …` in the account.
    pub(crate) fn edge(&self, args: &[&str]) -> Answer {
        let mut command = twistctl(self.home());
        command
            .arg("edge")
            .args(args)
            .args(["--bindings", "bindings.json"])
            .env("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
            .env("CLOUDFLARE_API_TOKEN", TOKEN)
            .env("CLOUDFLARE_API_BASE_URL", &self.cloudflare.url)
            .env("TEST_BACKEND_SECRET", "s3cret-of-the-backend");
        let answer = answer(command);
        let all = format!("{}{}", answer.stdout, answer.stderr);
        assert!(!all.contains(TOKEN), "the token was shown: {all}");
        assert!(!all.contains("s3cret"), "a secret was shown: {all}");
        answer
    }

    pub(crate) fn publish(&self, more: &[&str]) -> Answer {
        let mut args = vec!["publish", "--values", "values.toml", "--bundles", "dist"];
        args.extend(more);
        self.edge(&args)
    }

    pub(crate) fn published(&self) {
        let answer = self.publish(&[]);
        assert_eq!(answer.code, 0, "{answer:?}");
    }

    /// The deployment in force.
    pub(crate) fn shares(&self, script: &str) -> Vec<(String, u64)> {
        let state = self.cloudflare.state();
        state.scripts[script].deployments.last().unwrap().clone()
    }
}

/// Adds to a list in a list of bindings.
pub(crate) fn push(list: &mut Value, more: Value) {
    list.as_array_mut().unwrap().push(more);
}

/// An environment.
pub(crate) const VALUES: &str = r#"
environment = "staging"

[workers.vau-processor.vars]
BACKEND_URL = "https://app.example.org"

[workers.vau-processor.secrets]
BACKEND_HMAC_SECRET = { env = "TEST_BACKEND_SECRET" }
"#;

/// A list as `edge/bindings.json` is.
pub(crate) fn bindings() -> Value {
    json!({
        "version": 2,
        "compatibilityDate": "2026-07-01",
        "compatibilityFlags": ["nodejs_compat"],
        "migrations": [{ "tag": "v1", "newSqliteClasses": ["VauShard"] }],
        "workers": [
            {
                // The one that is bound to the other stands first: the order is not that of the list.
                "name": "security-worker", "bundle": "edge-security-worker", "routed": true, "crons": [],
                "vars": [], "secrets": [],
                "durableObjects": [{ "binding": "VAU_SHARD", "class": "VauShard", "script": "vau-processor" }],
                "services": [{ "binding": "VAU_PROCESSOR", "worker": "vau-processor" }],
                "queues": [], "r2": [], "kv": [],
            },
            {
                "name": "vau-processor", "bundle": "edge-vau-processor", "routed": false, "crons": ["0 * * * *"],
                "vars": [
                    { "name": "BACKEND_URL", "required": true, "about": "the backend" },
                    { "name": "FLUSH_INTERVAL_MS", "default": "45000", "about": "waiting" },
                    { "name": "ALLOWED_ORIGINS", "default": "", "about": "pages" },
                ],
                "secrets": [
                    { "name": "BACKEND_HMAC_SECRET", "required": true, "about": "signs" },
                    { "name": "INTEGRATOR_KEYS", "default": "{}", "about": "keys" },
                ],
                "durableObjects": [{ "binding": "VAU_SHARD", "class": "VauShard" }],
                "services": [],
                "queues": [{
                    "binding": "VAU_QUEUE", "queue": "vau-segments",
                    "consumer": { "maxBatchSize": 10, "deadLetterQueue": "vau-segments-dead" },
                }],
                "r2": [{ "binding": "ARCHIVE", "bucket": "edge-archive", "lifecycle": [{ "prefix": "edge/segments/", "days": 30 }] }],
                "kv": [],
            },
        ],
    })
}
