//! The software bill of materials: what the artifacts are made of, in `CycloneDX` 1.6.
//!
//! [`metadata`] and [`lock`] read what cargo knows, [`platform`] decides which dependencies apply where,
//! [`graph`] collects what the artifacts really contain, [`closure`] adds what Nix puts beside them, and
//! [`document`] writes it down. The same sources give the same bytes, in whatever folder they lie.

mod closure;
mod document;
mod graph;
mod lock;
mod metadata;
mod platform;
#[cfg(test)]
mod tests;

pub(crate) use platform::{WASM_TRIPLE, triple};

use attest::System;

/// Why there is no bill of materials.
#[derive(Debug, thiserror::Error)]
pub enum SbomError {
    /// The output of `cargo metadata`.
    #[error("the cargo metadata cannot be read: {0}")]
    Metadata(serde_json::Error),
    /// `Cargo.lock`.
    #[error("Cargo.lock cannot be read: {0}")]
    Lock(toml::de::Error),
    /// The Nix closure.
    #[error("the Nix closure cannot be read: {0}")]
    Closure(serde_json::Error),
    /// Asked for a crate that is not there.
    #[error("the workspace has no crate {0}")]
    NoSuchRoot(String),
    /// A dependency that the metadata does not describe.
    #[error(
        "the cargo metadata names {0} but does not describe it: it must be made without --no-deps"
    )]
    Incomplete(String),
    /// A crate from a registry whose checksum is missing.
    #[error("Cargo.lock has no checksum for {0}: is it of the same workspace?")]
    NoChecksum(String),
    /// A target condition that cargo would not accept either.
    #[error("the target condition {0} cannot be read")]
    Condition(String),
    /// Two paths of a closure that cannot both be named.
    #[error("{0} is no path of the Nix store")]
    StorePath(String),
    /// Writing JSON.
    #[error("the document cannot be written: {0}")]
    Write(serde_json::Error),
}

/// What a bill is made from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The output of `cargo metadata --format-version 1`.
    pub metadata: &'a [u8],
    /// The text of `Cargo.lock`.
    pub lock: &'a str,
    /// A JSON file with a member `closure`, as Nix's `exportReferencesGraph` writes.
    pub closure: Option<&'a [u8]>,
    /// The crates of the artifacts; without any, every crate that has a program or is a Worker's.
    pub roots: &'a [String],
    /// Where the programs run. Workers are compiled for wasm32 wherever that is.
    pub system: System,
}

/// The document's bytes.
pub fn make(inputs: Inputs<'_>) -> Result<Vec<u8>, SbomError> {
    let metadata: metadata::Metadata =
        serde_json::from_slice(inputs.metadata).map_err(SbomError::Metadata)?;
    let checksums = lock::checksums(inputs.lock)?;
    let graph = graph::collect(&metadata, inputs.roots, inputs.system)?;
    let closure = inputs.closure.map(closure::read).transpose()?;
    document::write(&graph, &checksums, closure.as_deref().unwrap_or_default())
}

/// The system that this program runs on.
pub fn this_system() -> System {
    if cfg!(target_arch = "aarch64") {
        System::Aarch64Linux
    } else {
        System::X8664Linux
    }
}
