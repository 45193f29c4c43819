//! Where things are: the checkout, the cache, the state of the local stack.

use crate::CtlError;
use std::env;
use std::path::{Path, PathBuf};

/// The folders of one user and one checkout.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The checkout.
    pub root: PathBuf,
    /// What can be made again: build output, npm packages.
    pub cache: PathBuf,
    /// The local stack: data, logs, secrets.
    pub state: PathBuf,
}

impl Paths {
    /// From the environment. The checkout is `TWIST_ROOT`, or the folder above the current one that holds it.
    pub fn discover() -> Result<Self, CtlError> {
        Ok(Self {
            root: find_root()?,
            cache: folder("TWIST_CACHE_DIR", "XDG_CACHE_HOME", ".cache")?,
            state: folder("TWIST_STATE_DIR", "XDG_STATE_HOME", ".local/state")?,
        })
    }

    /// The same checkout and cache with another state folder.
    #[must_use]
    pub fn with_state(self, state: PathBuf) -> Self {
        Self { state, ..self }
    }

    /// Cargo's output for this machine.
    pub fn target(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.cache.join("target"), PathBuf::from)
    }

    /// Cargo's output for wasm32: apart, so that neither build waits for the other's lock.
    pub fn target_wasm(&self) -> PathBuf {
        self.cache.join("target-wasm")
    }

    /// Cargo's output for what is released: other flags than in development, so a folder of its own.
    pub fn target_release(&self) -> PathBuf {
        self.cache.join("target-release")
    }

    /// Where each Worker's bundle has a folder.
    pub fn bundles(&self) -> PathBuf {
        self.cache.join("dist")
    }

    /// The npm packages of `edge/package-lock.json`.
    pub fn node_modules(&self) -> PathBuf {
        env::var_os("TWIST_NODE_MODULES")
            .map_or_else(|| self.cache.join("node/node_modules"), PathBuf::from)
    }

    /// The log of a part of the local stack.
    pub fn log(&self, part: &str) -> PathBuf {
        self.state.join("logs").join(format!("{part}.log"))
    }
}

fn find_root() -> Result<PathBuf, CtlError> {
    let is_root = |folder: &Path| {
        folder.join("Cargo.lock").is_file() && folder.join("crates/twistctl").is_dir()
    };
    if let Some(root) = env::var_os("TWIST_ROOT").map(PathBuf::from) {
        return if is_root(&root) {
            Ok(root)
        } else {
            Err(CtlError::Help(format!(
                "TWIST_ROOT is {}, which is no checkout of TWIST",
                root.display()
            )))
        };
    }
    let here = env::current_dir().map_err(CtlError::io("find", Path::new(".")))?;
    here.ancestors()
        .find(|folder| is_root(folder))
        .map(Path::to_owned)
        .ok_or_else(|| {
            CtlError::Help("not inside a checkout of TWIST; go there, or set TWIST_ROOT".into())
        })
}

fn folder(own: &str, xdg: &str, in_home: &str) -> Result<PathBuf, CtlError> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let chosen = if let Some(own) = set(own) {
        PathBuf::from(own)
    } else if let Some(base) = set(xdg) {
        PathBuf::from(base).join("twist")
    } else if let Some(home) = set("HOME") {
        PathBuf::from(home).join(in_home).join("twist")
    } else {
        return Err(CtlError::Help(format!("neither {own} nor HOME is set")));
    };
    std::path::absolute(&chosen).map_err(CtlError::io("find", &chosen))
}
