//! What makes a manifest one that can be trusted to mean what it says.

use crate::canonical::{CanonicalError, MAX_INTEGER};
use crate::{Artifact, Blocks, Draft, Entry, Kind, Sha256, System};
use std::collections::BTreeSet;

/// Why bytes are no manifest. Each names the item that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or not of this shape.
    #[error("at {at}: {reason}")]
    Json {
        /// The member.
        at: String,
        /// The parser's reason.
        reason: String,
    },
    /// Another schema.
    #[error("the schema is {0:?}; this reads {schema:?} only", schema = crate::SCHEMA)]
    Schema(String),
    /// Beyond [`crate::Manifest::MAX_BYTES`].
    #[error("it is larger than {} MiB", crate::Manifest::MAX_BYTES >> 20)]
    TooLarge,
    /// A different spelling of the same content.
    #[error("it is not in canonical form (RFC 8785): byte {0} is the first that differs from it")]
    NotCanonical(u64),
    /// The artifacts are not those of the root.
    #[error("merkleRoot is {stated}, but the artifacts give {computed}")]
    MerkleRoot {
        /// In the manifest.
        stated: Sha256,
        /// Over its artifacts.
        computed: Sha256,
    },
    /// Something about one artifact.
    #[error("artifact {artifact}: {reason}")]
    Artifact {
        /// Its name.
        artifact: String,
        /// What is wrong.
        reason: String,
    },
    /// Something about the rest.
    #[error("{0}")]
    Invalid(String),
    /// A number that JSON cannot keep.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

pub(crate) fn draft(draft: &Draft) -> Result<(), ManifestError> {
    let invalid = |reason: String| Err(ManifestError::Invalid(reason));
    for (what, text) in [("version", &draft.version)].into_iter().chain(
        draft
            .toolchain
            .iter()
            .map(|(tool, text)| (tool.as_str(), text)),
    ) {
        if text.is_empty() || text.len() > 200 || text.chars().any(char::is_control) {
            return invalid(format!("{what}: {text:?} is no version"));
        }
    }
    for name in draft
        .toolchain
        .keys()
        .chain(draft.inputs.keys())
        .chain(draft.source.locks.keys())
    {
        if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
            return invalid(format!("{name:?} is no name of a tool, input or lock file"));
        }
    }
    if draft.artifacts.is_empty() {
        return invalid("it names no artifact".to_owned());
    }
    for (one, next) in draft.artifacts.iter().zip(draft.artifacts.iter().skip(1)) {
        if one.name == next.name {
            return invalid(format!("two artifacts are named {}", one.name));
        }
        if one.name > next.name {
            return invalid(format!(
                "artifacts are not sorted: {} stands before {}",
                one.name, next.name
            ));
        }
    }
    draft.artifacts.iter().try_for_each(|artifact| {
        self::artifact(artifact, draft.system).map_err(|reason| ManifestError::Artifact {
            artifact: artifact.name.to_string(),
            reason,
        })
    })
}

fn artifact(artifact: &Artifact, system: System) -> Result<(), String> {
    files(&artifact.files)?;
    let canonical = match artifact.kind {
        // Compilers for these targets give other bytes on other hosts.
        Kind::Worker | Kind::Program => System::X8664Linux,
        Kind::Service | Kind::Tool | Kind::Image | Kind::Sbom => system,
    };
    if artifact.canonical_system != canonical {
        return Err(format!(
            "canonicalSystem is {}, but for kind {} of a release for {system} it is {canonical}",
            artifact.canonical_system, artifact.kind
        ));
    }
    if artifact.closure_size.is_some_and(|size| size > MAX_INTEGER) {
        return Err("closureSize is too large".to_owned());
    }
    if artifact.image.is_some() != (artifact.kind == Kind::Image) {
        return Err("kind image has image, the others have not".to_owned());
    }
    if artifact.program_hash.is_some() != (artifact.kind == Kind::Program) {
        return Err("kind program has programHash, the others have not".to_owned());
    }
    let layers = artifact.image.iter().flat_map(|image| &image.layers);
    if layers.into_iter().any(|layer| layer.size > MAX_INTEGER) {
        return Err("a layer's size is too large".to_owned());
    }
    let needed = match artifact.kind {
        Kind::Service | Kind::Tool => format!("bin/{}", artifact.name),
        Kind::Worker => "index.js".to_owned(),
        Kind::Image => "image.tar.gz".to_owned(),
        Kind::Program => format!("{}.so", artifact.name),
        Kind::Sbom => return Ok(()),
    };
    match artifact.entry(&needed) {
        Some(Entry::File { executable, .. }) => {
            let must_run = matches!(artifact.kind, Kind::Service | Kind::Tool);
            if must_run && !executable {
                return Err(format!("{needed} is not executable"));
            }
            Ok(())
        }
        _ => Err(format!(
            "kind {} has the file {needed}, which is not listed",
            artifact.kind
        )),
    }
}

fn files(files: &[Entry]) -> Result<(), String> {
    if files.is_empty() {
        return Err("it has no file".to_owned());
    }
    for (one, next) in files.iter().zip(files.iter().skip(1)) {
        let (one, next) = (one.path(), next.path());
        if one == next {
            return Err(format!("{one} is listed twice"));
        }
        if one > next {
            return Err(format!("files are not sorted: {one} stands before {next}"));
        }
    }
    let paths: BTreeSet<&str> = files.iter().map(|entry| entry.path().as_str()).collect();
    for entry in files {
        let path = entry.path();
        let above = path
            .as_str()
            .match_indices('/')
            .filter_map(|(at, _)| path.as_str().get(..at));
        if let Some(above) = above.into_iter().find(|above| paths.contains(above)) {
            return Err(format!("{above} is listed, and {path} beneath it"));
        }
        match entry {
            Entry::File { size, blocks, .. } => {
                if *size > MAX_INTEGER {
                    return Err(format!("{path}: the size is too large"));
                }
                if size.div_ceil(Blocks::SIZE as u64) != blocks.count() as u64 {
                    return Err(format!(
                        "{path}: {size} bytes have {} blocks, not {}",
                        size.div_ceil(Blocks::SIZE as u64),
                        blocks.count()
                    ));
                }
            }
            Entry::Link { target, .. } => {
                if target.is_empty() || target.len() > 4096 || target.contains('\0') {
                    return Err(format!("{path}: {target:?} is no target of a link"));
                }
            }
        }
    }
    Ok(())
}
