//! Makes what runs: the services and the bundles of the Workers.

mod bundle;
mod cargo_config;
mod dist;
mod environment;
mod folder;
mod host;
mod make;
mod release;
mod remap;
#[cfg(test)]
pub(crate) mod sample;
mod source;
mod toolchain;

pub use dist::artifacts;
pub use make::{Profile, make};

pub(crate) use bundle::{WASM_TARGET, cargo as wasm_cargo};
pub(crate) use folder::{MANIFEST, files};
pub(crate) use make::{BUNDLE, WORKERS};
pub(crate) use remap::cargo_home;

use crate::ui::Step;
use crate::{CtlError, Paths};
use std::path::PathBuf;

/// What was built.
#[derive(Debug, Clone)]
pub struct Artifacts {
    /// auth-service.
    pub auth: PathBuf,
    /// influencer-api.
    pub api: PathBuf,
    /// settlement-worker.
    pub settlement: PathBuf,
    /// twist-migrate.
    pub migrate: PathBuf,
    /// Folder with a folder for each Worker: `index.js` and `index_bg.wasm`.
    pub bundles: PathBuf,
    /// The commit, where it is known that nothing else is in them.
    pub revision: Option<String>,
}

/// Builds everything that is not up to date.
pub fn build(paths: &Paths) -> Result<Artifacts, CtlError> {
    let host = Step::during("build the services", |step| host::build(paths, step))?;
    let bundles = Step::during("build the Workers", |step| {
        bundle::build(paths, &host.bundler, step)
    })?;
    Ok(Artifacts {
        auth: host.auth,
        api: host.api,
        settlement: host.settlement,
        migrate: host.migrate,
        bundles,
        revision: None,
    })
}
