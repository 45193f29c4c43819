//! What a manifest says of one artifact.

use crate::{ArtifactName, Blocks, NarHash, RelativePath, Sha256, StorePath};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One thing that a release consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Artifact {
    /// The flake's attribute, and the folder in a release.
    pub name: ArtifactName,
    /// What it is.
    pub kind: Kind,
    /// The system whose build of it counts. A build of it elsewhere may differ.
    pub canonical_system: System,
    /// Where Nix keeps it.
    pub store_path: Option<StorePath>,
    /// Of the whole artifact.
    pub nar_hash: NarHash,
    /// Bytes of the Nix archives of everything that it needs at run time, itself included.
    pub closure_size: Option<u64>,
    /// Every file and symbolic link, sorted by path.
    pub files: Vec<Entry>,
    /// The container image in it; with kind `image`, and only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// The hash by which the chain's tools know a program ([`crate::program_hash`]); with kind `program`, and only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program_hash: Option<Sha256>,
}

impl Artifact {
    /// The file or link at `path`.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.files
            .iter()
            .find(|entry| entry.path().as_str() == path)
    }
}

/// What an artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Kind {
    /// A program that runs on a host and answers requests: `bin/<name>`.
    Service,
    /// A program that somebody runs: `bin/<name>`.
    Tool,
    /// A Cloudflare Worker: JavaScript and WebAssembly modules.
    Worker,
    /// A container image: `image.tar.gz`.
    Image,
    /// A software bill of materials.
    Sbom,
    /// A Solana program: `<name>.so`.
    Program,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Service => "service",
            Self::Tool => "tool",
            Self::Worker => "worker",
            Self::Image => "image",
            Self::Sbom => "sbom",
            Self::Program => "program",
        })
    }
}

/// A machine, as Nix names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum System {
    /// Linux on 64-bit x86.
    #[serde(rename = "x86_64-linux")]
    X8664Linux,
    /// Linux on 64-bit Arm.
    #[serde(rename = "aarch64-linux")]
    Aarch64Linux,
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X8664Linux => "x86_64-linux",
            Self::Aarch64Linux => "aarch64-linux",
        })
    }
}

/// What made the artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Builder {
    /// The flake: everything that goes into them is pinned, so anybody gets these bytes.
    Nix,
    /// The tools of one machine: others get these bytes only with the same tools.
    Host,
}

impl fmt::Display for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nix => "nix",
            Self::Host => "host",
        })
    }
}

/// A file or a symbolic link of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawEntry", into = "RawEntry")]
pub enum Entry {
    /// A regular file.
    File {
        /// Where in the artifact.
        path: RelativePath,
        /// Bytes.
        size: u64,
        /// Of its bytes.
        sha256: Sha256,
        /// Whether it can be run.
        executable: bool,
        /// For finding a difference.
        blocks: Blocks,
    },
    /// A symbolic link.
    Link {
        /// Where in the artifact.
        path: RelativePath,
        /// Where it leads, as it is written.
        target: String,
    },
}

impl Entry {
    /// Where in the artifact.
    pub const fn path(&self) -> &RelativePath {
        match self {
            Self::File { path, .. } | Self::Link { path, .. } => path,
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Entry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Entry".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let path = generator.subschema_for::<RelativePath>();
        let sha256 = generator.subschema_for::<Sha256>();
        let blocks = generator.subschema_for::<Blocks>();
        schemars::json_schema!({
            "oneOf": [
                {
                    "type": "object",
                    "description": "A regular file.",
                    "properties": {
                        "path": path,
                        "size": { "type": "integer", "minimum": 0, "description": "Bytes." },
                        "sha256": sha256,
                        "executable": { "type": "boolean" },
                        "blocks": blocks,
                    },
                    "required": ["path", "size", "sha256", "executable", "blocks"],
                    "additionalProperties": false,
                },
                {
                    "type": "object",
                    "description": "A symbolic link.",
                    "properties": {
                        "path": path,
                        "target": { "type": "string", "description": "Where it leads, as it is written." },
                    },
                    "required": ["path", "target"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

/// Both forms in one, so that a wrong one is told by what is wrong with it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    path: RelativePath,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<Sha256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    executable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocks: Option<Blocks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

impl TryFrom<RawEntry> for Entry {
    type Error = String;

    fn try_from(raw: RawEntry) -> Result<Self, String> {
        match raw {
            RawEntry {
                path,
                size: Some(size),
                sha256: Some(sha256),
                executable: Some(executable),
                blocks: Some(blocks),
                target: None,
            } => Ok(Self::File {
                path,
                size,
                sha256,
                executable,
                blocks,
            }),
            RawEntry {
                path,
                size: None,
                sha256: None,
                executable: None,
                blocks: None,
                target: Some(target),
            } => Ok(Self::Link { path, target }),
            RawEntry { path, .. } => Err(format!(
                "{path}: a file has size, sha256, executable and blocks, a link has a target, and neither has anything else"
            )),
        }
    }
}

impl From<Entry> for RawEntry {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::File {
                path,
                size,
                sha256,
                executable,
                blocks,
            } => Self {
                path,
                size: Some(size),
                sha256: Some(sha256),
                executable: Some(executable),
                blocks: Some(blocks),
                target: None,
            },
            Entry::Link { path, target } => Self {
                path,
                size: None,
                sha256: None,
                executable: None,
                blocks: None,
                target: Some(target),
            },
        }
    }
}

/// A container image, by what does not depend on how it is packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Image {
    /// The digest of the image's configuration, which names the layers: the image's id.
    pub config: Sha256,
    /// The layers, lowest first.
    pub layers: Vec<Layer>,
}

/// One layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Layer {
    /// The digest of the layer's uncompressed archive.
    pub diff_id: Sha256,
    /// Bytes of that archive.
    pub size: u64,
}
