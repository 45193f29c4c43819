//! Container images: what a runtime would load from an archive or folder, recomputed from its bytes.
//!
//! The image is its configuration and its layers. Their hashes are taken of the bytes at hand, and every place
//! where the archive itself states one (names, descriptors, the configuration's list of layers) has to agree.

mod archive;
mod budget;
mod docker;
mod header;
mod json;
mod layout;
mod pax;
mod source;
pub(crate) mod text;

use attest::{Image, Layer, Sha256};
use budget::Budget;
use serde::Deserialize;
use source::Source;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// An image in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadImage {
    /// The hashes.
    pub image: Image,
    /// Its label `org.opencontainers.image.title`.
    pub title: Option<String>,
    /// The bytes of each layer, uncompressed, the lowest first.
    pub layers: Vec<Vec<u8>>,
    /// The bytes of the configuration.
    pub config: Vec<u8>,
}

/// Why no image could be read.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// The system does not let it be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The archive, or a file of the layout.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It contradicts itself, is cut short, or is none.
    #[error("{entry}: {why}")]
    Damaged {
        /// The place in the archive.
        entry: String,
        /// What is wrong there.
        why: String,
    },
    /// A layer is not the one that the configuration names.
    #[error(transparent)]
    OtherLayer(Box<OtherLayer>),
    /// It may be good, but cannot be read here.
    #[error("{entry}: {what} is not supported")]
    Unsupported {
        /// The place in the archive.
        entry: String,
        /// What it uses.
        what: String,
    },
    /// It does not fit the memory it is allowed.
    #[error("{entry}: the image has more than {} MiB uncompressed, or too many entries", limit >> 20)]
    TooLarge {
        /// Where that showed.
        entry: String,
        /// Bytes allowed.
        limit: u64,
    },
    /// More than one image, so that it is not clear which one is meant.
    #[error("it holds {} images, and one is needed: {}", names.len(), names.join(", "))]
    Several {
        /// Their tags or digests.
        names: Vec<String>,
    },
}

/// A layer that is not the one that the configuration names.
#[derive(Debug, thiserror::Error)]
#[error("{entry}: the layer's SHA-256 is {found}, and the configuration names {named}")]
pub struct OtherLayer {
    /// The place in the archive.
    pub entry: String,
    /// Which layer, counted from 0.
    pub number: usize,
    /// The hash that the configuration names.
    pub named: Sha256,
    /// The hash of the layer.
    pub found: Sha256,
    /// The SHA-256 of the configuration.
    pub config: Sha256,
    /// The layer, uncompressed.
    pub bytes: Vec<u8>,
}

impl OciError {
    fn damaged(entry: &str, why: impl Into<String>) -> Self {
        Self::Damaged {
            entry: shown(entry),
            why: why.into(),
        }
    }

    fn unsupported(entry: &str, what: impl Into<String>) -> Self {
        Self::Unsupported {
            entry: shown(entry),
            what: what.into(),
        }
    }
}

/// Bytes of an image, all layers uncompressed, and of the archive around it, uncompressed.
pub const MOST_BYTES: u64 = 2 << 30;

/// Reads the one image of a docker-archive or an OCI archive (plain or gzip), or of an OCI layout folder.
pub fn read(path: &Path) -> Result<ReadImage, OciError> {
    read_within(path, MOST_BYTES)
}

/// [`read`] with another limit.
pub fn read_within(path: &Path, most_bytes: u64) -> Result<ReadImage, OciError> {
    let mut budget = Budget::new(most_bytes);
    let source = Source::open(path, &mut budget)?;
    image(path, source, budget)
}

/// [`read`] of an archive in memory, which came from `path`.
pub fn read_bytes(path: &Path, archive: &[u8]) -> Result<ReadImage, OciError> {
    let mut budget = Budget::new(MOST_BYTES);
    let items = archive::read(path, archive, &mut budget)?;
    image(path, Source::Archive(items), budget)
}

fn image(path: &Path, mut source: Source, mut budget: Budget) -> Result<ReadImage, OciError> {
    let is_docker = source.has(docker::INDEX);
    let is_oci = source.has(layout::INDEX);
    match (is_docker, is_oci) {
        (true, false) => docker::read(&mut source, &mut budget),
        (false, true) => layout::read(&mut source, &mut budget),
        // Docker writes both. A runtime reads one of them, and nobody knows which.
        (true, true) => {
            let one = docker::read(&mut source, &mut budget)?;
            let other = layout::read(&mut source, &mut budget)?;
            if one.image == other.image {
                Ok(one)
            } else {
                Err(OciError::damaged(
                    docker::INDEX,
                    format!("names another image than {}", layout::INDEX),
                ))
            }
        }
        (false, false) => Err(OciError::damaged(
            &path.display().to_string(),
            format!(
                "is no image: it has neither {} nor {}",
                docker::INDEX,
                layout::INDEX
            ),
        )),
    }
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    config: Option<Settings>,
    rootfs: RootFs,
}

#[derive(Default, Deserialize)]
struct Settings {
    #[serde(rename = "Labels", default)]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(rename = "type")]
    kind: String,
    diff_ids: Vec<String>,
}

/// Where a layer was found, and its uncompressed bytes.
struct Found {
    entry: String,
    bytes: Vec<u8>,
}

/// Puts it together when the configuration names exactly these layers.
fn assemble(entry: &str, config: Vec<u8>, found: Vec<Found>) -> Result<ReadImage, OciError> {
    let read: Config = json::read(entry, &config)?;
    if read.rootfs.kind != "layers" {
        return Err(OciError::damaged(entry, "rootfs.type is not \"layers\""));
    }
    let named = read.rootfs.diff_ids;
    if named.len() != found.len() {
        return Err(OciError::damaged(
            entry,
            format!(
                "names {} layers, and there are {}",
                named.len(),
                found.len()
            ),
        ));
    }
    let mut layers = Vec::new();
    let mut contents = Vec::new();
    for (number, (named, found)) in named.iter().zip(found).enumerate() {
        let named = digest(entry, named)?;
        let diff_id = Sha256::of(&found.bytes);
        if named != diff_id {
            return Err(OciError::OtherLayer(Box::new(OtherLayer {
                entry: shown(&found.entry),
                number,
                named,
                found: diff_id,
                config: Sha256::of(&config),
                bytes: found.bytes,
            })));
        }
        let size = found.bytes.len() as u64;
        layers.push(Layer { diff_id, size });
        contents.push(found.bytes);
    }
    let labels = read.config.unwrap_or_default().labels.unwrap_or_default();
    Ok(ReadImage {
        image: Image {
            config: Sha256::of(&config),
            layers,
        },
        title: labels.get("org.opencontainers.image.title").cloned(),
        layers: contents,
        config,
    })
}

/// `sha256:<hex>`.
fn digest(entry: &str, text: &str) -> Result<Sha256, OciError> {
    let hex = text
        .strip_prefix("sha256:")
        .ok_or_else(|| OciError::unsupported(entry, format!("the digest {}", shown(text))))?;
    Sha256::try_from(hex).map_err(|error| OciError::damaged(entry, error.to_string()))
}

/// A name from an archive that does no harm to a terminal.
fn shown(name: &str) -> String {
    let clean: String = name
        .chars()
        .take(200)
        .map(|c| if text::is_shown(c) { c } else { '\u{fffd}' })
        .collect();
    if clean.is_empty() {
        "\"\"".into()
    } else {
        clean
    }
}
