//! Checksums, which `cargo metadata` does not tell.

use crate::sbom::SbomError;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

/// SHA-256 of the downloaded archive, in hex, by name, version and source.
pub(super) type Checksums = BTreeMap<(String, String, String), String>;

pub(super) fn checksums(text: &str) -> Result<Checksums, SbomError> {
    let lock: Lock = toml::from_str(text).map_err(SbomError::Lock)?;
    let known = lock.package.into_iter().filter_map(|package| {
        let key = (package.name, package.version, package.source?);
        Some((key, package.checksum?))
    });
    Ok(known.collect())
}
