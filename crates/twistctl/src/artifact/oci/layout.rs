//! The OCI image layout: `index.json`, and everything else by its digest under `blobs/`.

use super::budget::Budget;
use super::source::Source;
use super::{Found, OciError, ReadImage, assemble, digest, json, shown};
use attest::Sha256;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

pub(super) const INDEX: &str = "index.json";
const MARK: &str = "oci-layout";
/// Indexes inside one another.
const MOST_DEPTH: usize = 4;

#[derive(Deserialize)]
struct Mark {
    #[serde(rename = "imageLayoutVersion")]
    version: String,
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
    #[serde(default)]
    config: Option<IgnoredAny>,
    #[serde(default)]
    layers: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct ImageManifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Option<IgnoredAny>,
}

pub(super) fn read(source: &mut Source, budget: &mut Budget) -> Result<ReadImage, OciError> {
    let mark: Mark = json::read_unambiguous(MARK, &source.get(MARK, budget)?)?;
    if !mark.version.starts_with("1.") {
        return Err(OciError::unsupported(
            MARK,
            format!("version {}", shown(&mark.version)),
        ));
    }
    let mut entry = INDEX.to_owned();
    let mut bytes = source.get(INDEX, budget)?;
    for _ in 0..MOST_DEPTH {
        let index: Index = json::read_unambiguous(&entry, &bytes)?;
        one_kind(&entry, index.layers.is_some() || index.config.is_some())?;
        let next = only(&entry, index.manifests)?;
        entry = blob_name(&entry, &next)?;
        bytes = blob(source, &entry, &next, budget)?;
        match next.media_type.as_str() {
            "application/vnd.oci.image.manifest.v1+json"
            | "application/vnd.docker.distribution.manifest.v2+json" => {
                return image(source, &entry, &bytes, budget);
            }
            "application/vnd.oci.image.index.v1+json"
            | "application/vnd.docker.distribution.manifest.list.v2+json" => {}
            other => return Err(media_type(&entry, other)),
        }
    }
    Err(OciError::damaged(
        &entry,
        "is an index in an index in an index",
    ))
}

/// The one that is meant, if it is clear.
fn only(entry: &str, mut manifests: Vec<Descriptor>) -> Result<Descriptor, OciError> {
    if manifests.len() > 1 {
        return Err(OciError::Several {
            names: manifests.iter().map(name).collect(),
        });
    }
    manifests
        .pop()
        .ok_or_else(|| OciError::damaged(entry, "names no image"))
}

fn image(
    source: &Source,
    entry: &str,
    bytes: &[u8],
    budget: &mut Budget,
) -> Result<ReadImage, OciError> {
    let manifest: ImageManifest = json::read_unambiguous(entry, bytes)?;
    one_kind(entry, manifest.manifests.is_some())?;
    match manifest.config.media_type.as_str() {
        "application/vnd.oci.image.config.v1+json"
        | "application/vnd.docker.container.image.v1+json" => {}
        other => return Err(media_type(entry, other)),
    }
    let config_entry = blob_name(entry, &manifest.config)?;
    let config = blob(source, &config_entry, &manifest.config, budget)?;
    let mut found = Vec::new();
    for layer in manifest.layers {
        let name = blob_name(entry, &layer)?;
        budget.entry(&name)?;
        found.push(Found {
            bytes: layer_bytes(source, &name, &layer, budget)?,
            entry: name,
        });
    }
    assemble(&config_entry, config, found)
}

fn layer_bytes(
    source: &Source,
    name: &str,
    layer: &Descriptor,
    budget: &mut Budget,
) -> Result<Vec<u8>, OciError> {
    let gzip = match layer.media_type.as_str() {
        "application/vnd.oci.image.layer.v1.tar"
        | "application/vnd.docker.image.rootfs.diff.tar" => false,
        "application/vnd.oci.image.layer.v1.tar+gzip"
        | "application/vnd.docker.image.rootfs.diff.tar.gzip" => true,
        other => return Err(media_type(name, other)),
    };
    let bytes = blob(source, name, layer, budget)?;
    if gzip {
        budget.read_all(name, flate2::read::MultiGzDecoder::new(bytes.as_slice()))
    } else {
        Ok(bytes)
    }
}

/// The bytes that a descriptor describes, and no others.
fn blob(
    source: &Source,
    entry: &str,
    descriptor: &Descriptor,
    budget: &mut Budget,
) -> Result<Vec<u8>, OciError> {
    let bytes = source.get(entry, budget)?;
    if bytes.len() as u64 != descriptor.size {
        return Err(OciError::damaged(
            entry,
            format!(
                "has {} bytes, and its descriptor says {}",
                bytes.len(),
                descriptor.size
            ),
        ));
    }
    let (is, claimed) = (Sha256::of(&bytes), digest(entry, &descriptor.digest)?);
    if is != claimed {
        return Err(OciError::damaged(
            entry,
            format!("its SHA-256 is {is}, and its descriptor says {claimed}"),
        ));
    }
    Ok(bytes)
}

fn blob_name(entry: &str, descriptor: &Descriptor) -> Result<String, OciError> {
    Ok(format!(
        "blobs/sha256/{}",
        digest(entry, &descriptor.digest)?
    ))
}

/// A document that is an index and an image at once is whatever its reader takes it for.
fn one_kind(entry: &str, is_both: bool) -> Result<(), OciError> {
    if is_both {
        return Err(OciError::damaged(entry, "is an index and an image at once"));
    }
    Ok(())
}

fn media_type(entry: &str, media_type: &str) -> OciError {
    let what = if media_type.ends_with("zstd") {
        "zstd".to_owned()
    } else {
        format!("the media type {}", shown(media_type))
    };
    OciError::unsupported(entry, what)
}

fn name(descriptor: &Descriptor) -> String {
    let named = descriptor
        .annotations
        .get("org.opencontainers.image.ref.name")
        .or_else(|| descriptor.annotations.get("io.containerd.image.name"));
    shown(named.unwrap_or(&descriptor.digest))
}
