//! The services as they are started for real, and people who are signed in.

use crate::build::build;
use crate::commands;
use crate::platform::{Options, Part, Platform, PortChoice, Secrets};
use crate::ui::Step;
use crate::{CtlError, Paths};
use client::Wallet;
use sea_orm::{ConnectionTrait as _, Database};
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
    sessions: usize,
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
        Ok(Self {
            platform,
            folder,
            sessions,
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

    /// What the hooks are told. Each service gets sessions of its own, since what is tried ends some.
    pub(super) fn environment(
        &self,
        service: &str,
    ) -> Result<[(&'static str, String); 3], CtlError> {
        let tokens = commands::runtime()?.block_on(sign_in(&self.platform, self.sessions))?;
        let file = self.folder.path().join(format!("{service}.sessions"));
        fs::write(&file, tokens.join("\n")).map_err(CtlError::io("write", &file))?;
        let secrets = &self.platform.secrets;
        Ok([
            ("TWIST_CONTRACTS_SESSIONS", file.display().to_string()),
            ("TWIST_CONTRACTS_KEY_ID", Secrets::INGEST_KEY.to_owned()),
            ("TWIST_CONTRACTS_SECRET", secrets.ingest.clone()),
        ])
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

/// Tokens of people who may do everything: a refusal for want of a role would hide what comes after it.
async fn sign_in(platform: &Platform, count: usize) -> Result<Vec<String>, CtlError> {
    let client = platform.client()?;
    let mut tokens = Vec::with_capacity(count);
    for _ in 0..count {
        let wallet = Wallet::generate()?;
        let nonce = client.nonce(wallet.address()).await?;
        let session = client
            .verify(&wallet.verify_request(&nonce.message))
            .await?;
        tokens.push(session.access_token);
    }
    let database = Database::connect(platform.owner_url()).await?;
    let sql = "UPDATE users SET roles = '{influencer,operator,admin}'";
    database.execute_unprepared(sql).await?;
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
