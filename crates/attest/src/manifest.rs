//! The manifest.

use crate::validate::{self, ManifestError};
use crate::{Artifact, Builder, Revision, Sha256, System, canonical, merkle};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The only schema there is.
pub const SCHEMA: &str = "twist-release-v1";

/// Names every artifact of one commit. Always valid: it comes from [`Manifest::parse`] or [`Draft::finish`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Manifest {
    #[serde(flatten)]
    draft: Draft,
    /// `twist-release-v1`.
    #[cfg_attr(feature = "schema", schemars(extend("const" = SCHEMA)))]
    schema: String,
    /// The root of the RFC 6962 tree whose leaves are the canonical JSON of the artifacts, in their order.
    merkle_root: Sha256,
}

/// What a manifest says, before the root is computed over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Draft {
    /// The version of the workspace.
    pub version: String,
    /// What made the artifacts.
    pub builder: Builder,
    /// Where they run, if they are native programs.
    pub system: System,
    /// What they were made from.
    pub source: Source,
    /// Versions of the tools, by name.
    pub toolchain: BTreeMap<String, String>,
    /// The hashes of the flake inputs that were used, by name. Empty without Nix.
    pub inputs: BTreeMap<String, crate::NarHash>,
    /// The artifacts, sorted by name.
    pub artifacts: Vec<Artifact>,
}

/// What a release was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Source {
    /// The commit; none when it was built outside a git checkout.
    pub revision: Option<Revision>,
    /// Whether the tree differed from that commit.
    pub dirty: bool,
    /// The hashes of the lock files, by path: `Cargo.lock`, `edge/package-lock.json`, `flake.lock`.
    pub locks: BTreeMap<String, Sha256>,
}

/// As it is read. serde cannot refuse unknown members of flattened structs, so this one is flat.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawManifest {
    schema: String,
    version: String,
    builder: Builder,
    system: System,
    source: Source,
    toolchain: BTreeMap<String, String>,
    inputs: BTreeMap<String, crate::NarHash>,
    artifacts: Vec<Artifact>,
    merkle_root: Sha256,
}

impl Draft {
    /// Sorts, checks, and computes the root.
    pub fn finish(mut self) -> Result<Manifest, ManifestError> {
        self.artifacts.sort_by(|a, b| a.name.cmp(&b.name));
        validate::draft(&self)?;
        let merkle_root = merkle::root(&leaves(&self.artifacts)?);
        Ok(Manifest {
            schema: SCHEMA.to_owned(),
            draft: self,
            merkle_root,
        })
    }
}

impl Manifest {
    /// More bytes than any manifest has.
    pub const MAX_BYTES: usize = 16 << 20;

    /// Reads a manifest. There is no second form of the same manifest: the bytes must be canonical.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(ManifestError::TooLarge);
        }
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let raw: RawManifest =
            serde_path_to_error::deserialize(&mut reader).map_err(|error| ManifestError::Json {
                at: error.path().to_string(),
                reason: error.inner().to_string(),
            })?;
        reader.end().map_err(|error| ManifestError::Json {
            at: "the end".to_owned(),
            reason: error.to_string(),
        })?;
        if raw.schema != SCHEMA {
            return Err(ManifestError::Schema(raw.schema));
        }
        let draft = Draft {
            version: raw.version,
            builder: raw.builder,
            system: raw.system,
            source: raw.source,
            toolchain: raw.toolchain,
            inputs: raw.inputs,
            artifacts: raw.artifacts,
        };
        validate::draft(&draft)?;
        let manifest = Self {
            schema: raw.schema,
            merkle_root: merkle::root(&leaves(&draft.artifacts)?),
            draft,
        };
        if manifest.merkle_root != raw.merkle_root {
            return Err(ManifestError::MerkleRoot {
                stated: raw.merkle_root,
                computed: manifest.merkle_root,
            });
        }
        let canonical = manifest.to_bytes()?;
        match crate::compare::first_difference(&canonical, bytes) {
            None => Ok(manifest),
            Some(at) => Err(ManifestError::NotCanonical(at)),
        }
    }

    /// The bytes that are stored and signed.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ManifestError> {
        Ok(canonical::to_bytes(self)?)
    }

    /// What it says.
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// The artifacts, sorted by name.
    pub fn artifacts(&self) -> &[Artifact] {
        &self.draft.artifacts
    }

    /// The artifact of that name.
    pub fn artifact(&self, name: &str) -> Option<&Artifact> {
        self.draft
            .artifacts
            .iter()
            .find(|artifact| artifact.name.as_str() == name)
    }

    /// The root over the artifacts.
    pub const fn merkle_root(&self) -> &Sha256 {
        &self.merkle_root
    }

    /// The leaves beneath the root, for [`merkle::proof`].
    pub fn leaves(&self) -> Result<Vec<Vec<u8>>, ManifestError> {
        leaves(&self.draft.artifacts)
    }
}

fn leaves(artifacts: &[Artifact]) -> Result<Vec<Vec<u8>>, ManifestError> {
    let leaf = |artifact| Ok(canonical::to_bytes(artifact)?);
    artifacts.iter().map(leaf).collect()
}
