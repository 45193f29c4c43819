//! What can go wrong while bundling.

use std::io;
use std::path::Path;

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A tool was not named.
    #[error(
        "{variable} is not set: it must name the {tool} executable (`npm ci` in edge/ installs it)"
    )]
    ToolMissing {
        /// The environment variable.
        variable: &'static str,
        /// What it should name.
        tool: &'static str,
    },
    /// A tool could not be started.
    #[error("{tool} cannot be started: {source}")]
    ToolStart {
        /// Its path.
        tool: String,
        /// Why.
        source: io::Error,
    },
    /// A tool ran and failed.
    #[error("{tool} failed ({status}):\n{output}")]
    ToolFailed {
        /// Its path.
        tool: String,
        /// Exit status.
        status: String,
        /// What it said.
        output: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The module was not compiled with the wasm-bindgen of `Cargo.lock`, or is not a module.
    #[error("wasm-bindgen: {0}")]
    Bindgen(String),
    /// The module has nothing a Worker could answer with.
    #[error("the module exports neither a handler nor a Durable Object: is it a Worker?")]
    NotAWorker,
}

impl BundleError {
    /// For `map_err`: names the file an error is about.
    pub fn file(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().display().to_string();
        move |source| Self::File { path, source }
    }
}
