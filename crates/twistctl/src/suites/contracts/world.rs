//! The services as they are started for real, and people who are signed in.

use crate::build::build;
use crate::commands;
use crate::platform::{Options, Part, Platform, PortChoice, Secrets};
use crate::ui::Step;
use crate::{CtlError, Paths};
use client::{ExposeSecret as _, Wallet};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// So high that what is tried is the contract and not the limits.
const LIMIT: &str = "1000000";
const CLASSES: [&str; 8] = [
    "SIGN_IN",
    "NONCE_PER_WALLET",
    "SESSION",
    "READ",
    "WRITE",
    "REGISTRATION",
    "MONEY",
    "OPERATE",
];

/// A platform of its own, gone with this value.
pub(super) struct World {
    platform: Platform,
    /// For what the run leaves behind.
    pub(super) folder: TempDir,
    sessions: PathBuf,
}

impl World {
    /// Starts everything and signs `sessions` wallets in.
    pub(super) fn start(paths: &Paths, sessions: usize, step: &Step) -> Result<Self, CtlError> {
        step.detail("building");
        let artifacts = build(paths)?;
        let temporary = std::env::temp_dir();
        let folder = tempfile::tempdir().map_err(CtlError::io("make", &temporary))?;
        let options = Options {
            ports: PortChoice::Any,
            auth_env: limits("TWIST_AUTH"),
            api_env: limits("TWIST_API"),
            throwaway: true,
            ..Options::default()
        };
        step.detail("starting the platform");
        let state = folder.path().join("state");
        fs::create_dir(&state).map_err(CtlError::io("make", &state))?;
        let state = paths.clone().with_state(state);
        let platform = Platform::up(&state, artifacts, options)?;
        step.detail("signing in");
        let tokens = commands::runtime()?.block_on(sign_in(&platform, sessions))?;
        let file = folder.path().join("sessions");
        super::write(&file, &tokens.join("\n"))?;
        Ok(Self {
            platform,
            folder,
            sessions: file,
        })
    }

    /// The services and where they are.
    pub(super) fn services(&self) -> [(&'static str, String); 2] {
        let endpoints = self.platform.endpoints();
        [
            (Part::Auth.name(), endpoints.auth),
            (Part::Api.name(), endpoints.api),
        ]
    }

    /// What the hooks are told.
    pub(super) fn environment(&self) -> [(&'static str, String); 3] {
        [
            (
                "TWIST_CONTRACTS_SESSIONS",
                self.sessions.display().to_string(),
            ),
            ("TWIST_CONTRACTS_KEY_ID", Secrets::INGEST_KEY.to_owned()),
            (
                "TWIST_CONTRACTS_SECRET",
                self.platform.secrets.ingest.clone(),
            ),
        ]
    }

    /// The document of a service, as a file.
    pub(super) fn fetch(&self, service: &str, url: &str) -> Result<PathBuf, CtlError> {
        let client = self.platform.client()?;
        let answer = commands::runtime()?.block_on(async {
            let request = client.request("GET".parse().unwrap_or_default(), url, "/openapi.json");
            client.send(request).await
        })?;
        let file = self.folder.path().join(format!("{service}.json"));
        fs::write(&file, &answer.body).map_err(CtlError::io("write", &file))?;
        Ok(file)
    }
}

async fn sign_in(platform: &Platform, count: usize) -> Result<Vec<String>, CtlError> {
    let client = platform.client()?;
    let mut tokens = Vec::with_capacity(count);
    for _ in 0..count {
        let session = client.sign_in(&Wallet::generate()?).await?;
        tokens.push(session.access_token().expose_secret().to_owned());
    }
    Ok(tokens)
}

fn limits(prefix: &str) -> BTreeMap<String, String> {
    CLASSES
        .into_iter()
        .map(|class| {
            (
                format!("{prefix}__LIMITS__{class}__LIMIT"),
                LIMIT.to_owned(),
            )
        })
        .collect()
}
