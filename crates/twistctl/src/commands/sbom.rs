//! `sbom`.

use crate::{CtlError, sbom};
use attest::System;
use std::fs;
use std::path::{Path, PathBuf};

/// Options of `sbom`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The output of `cargo metadata --format-version 1`.
    #[arg(long, value_name = "FILE")]
    metadata: PathBuf,
    /// `Cargo.lock`; by default the one beside the workspace that the metadata names.
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
    /// JSON with a member `closure`, as Nix exports a references graph.
    #[arg(long, value_name = "FILE")]
    closure: Option<PathBuf>,
    /// A crate that becomes an artifact; without any, every crate with a program or a Worker in it.
    #[arg(long = "root", value_name = "CRATE")]
    roots: Vec<String>,
    /// Where the programs run: `x86_64-linux` or `aarch64-linux`; by default this machine's.
    #[arg(long, value_parser = system)]
    system: Option<System>,
    /// Where the document goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes the document.
pub fn run(args: &Args) -> Result<bool, CtlError> {
    let metadata = read(&args.metadata)?;
    let lock = match &args.lock {
        Some(lock) => lock.clone(),
        None => beside_workspace(&metadata)?,
    };
    let lock = fs::read_to_string(&lock).map_err(CtlError::io("read", &lock))?;
    let closure = args.closure.as_deref().map(read).transpose()?;
    let document = sbom::make(sbom::Inputs {
        metadata: &metadata,
        lock: &lock,
        closure: closure.as_deref(),
        roots: &args.roots,
        system: args.system.unwrap_or_else(sbom::this_system),
    })?;
    fs::write(&args.out, document).map_err(CtlError::io("write", &args.out))?;
    Ok(true)
}

fn read(path: &Path) -> Result<Vec<u8>, CtlError> {
    fs::read(path).map_err(CtlError::io("read", path))
}

fn system(text: &str) -> Result<System, String> {
    serde_json::from_value(text.into())
        .map_err(|_| "neither x86_64-linux nor aarch64-linux".to_owned())
}

fn beside_workspace(metadata: &[u8]) -> Result<PathBuf, CtlError> {
    #[derive(serde::Deserialize)]
    struct Workspace {
        workspace_root: PathBuf,
    }
    let workspace: Workspace =
        serde_json::from_slice(metadata).map_err(sbom::SbomError::Metadata)?;
    Ok(workspace.workspace_root.join("Cargo.lock"))
}
