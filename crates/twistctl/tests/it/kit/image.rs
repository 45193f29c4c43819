//! Container images in every packing, and raw tar files that no tool would write.

use attest::Sha256;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::Path;
use tar::{EntryType, Header};

/// An entry of a tar file, with any name.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) kind: EntryType,
    pub(crate) bytes: Vec<u8>,
    pub(crate) target: String,
}

impl Entry {
    pub(crate) fn file(name: &str, bytes: &[u8]) -> Self {
        Self {
            name: name.into(),
            kind: EntryType::Regular,
            bytes: bytes.to_vec(),
            target: String::new(),
        }
    }

    pub(crate) fn special(name: &str, kind: EntryType, target: &str) -> Self {
        Self {
            name: name.into(),
            kind,
            bytes: Vec::new(),
            target: target.into(),
        }
    }
}

/// The entries as they are, without the checks of a tool.
pub(crate) fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
        header.as_old_mut().linkname[..entry.target.len()].copy_from_slice(entry.target.as_bytes());
        header.set_entry_type(entry.kind);
        header.set_size(entry.bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&entry.bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::of(bytes).to_string()
}

/// A configuration and layers.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) config: Vec<u8>,
    pub(crate) layers: Vec<Vec<u8>>,
}

impl Image {
    /// A layer with a certificate and one with a program.
    pub(crate) fn of(title: &str, certificate: &[u8], program: &[u8]) -> Self {
        let layers = vec![
            tar(&[Entry::file("etc/ca.crt", certificate)]),
            tar(&[
                Entry::file("etc/passwd", b"app:x:10001"),
                Entry::file("bin/auth-service", program),
            ]),
        ];
        Self::with_layers(title, layers)
    }

    pub(crate) fn with_layers(title: &str, layers: Vec<Vec<u8>>) -> Self {
        let ids: Vec<String> = layers
            .iter()
            .map(|layer| format!("sha256:{}", sha256(layer)))
            .collect();
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "config": { "Labels": { "org.opencontainers.image.title": title } },
            "rootfs": { "type": "layers", "diff_ids": ids },
        });
        Self {
            config: config.to_string().into_bytes(),
            layers,
        }
    }

    pub(crate) fn config_name(&self) -> String {
        format!("{}.json", sha256(&self.config))
    }

    pub(crate) fn layer_name(number: usize) -> String {
        format!("{number}/layer.tar")
    }

    /// As `docker save` and Nix write it.
    pub(crate) fn docker_entries(&self) -> Vec<Entry> {
        let names: Vec<String> = (0..self.layers.len()).map(Self::layer_name).collect();
        let manifest = json!([{
            "Config": self.config_name(),
            "RepoTags": ["auth-service:0.1.0"],
            "Layers": names,
        }]);
        let mut entries: Vec<Entry> = self
            .layers
            .iter()
            .zip(&names)
            .map(|(layer, name)| Entry::file(name, layer))
            .collect();
        entries.push(Entry::file(&self.config_name(), &self.config));
        entries.push(Entry::file(
            "manifest.json",
            manifest.to_string().as_bytes(),
        ));
        entries
    }

    pub(crate) fn docker_archive(&self) -> Vec<u8> {
        tar(&self.docker_entries())
    }

    /// The files of an OCI layout.
    pub(crate) fn oci_entries(&self, compressed: bool) -> Vec<Entry> {
        let blob = |bytes: &[u8]| Entry::file(&format!("blobs/sha256/{}", sha256(bytes)), bytes);
        let mut entries = vec![Entry::file(
            "oci-layout",
            br#"{"imageLayoutVersion":"1.0.0"}"#,
        )];
        let mut layers = Vec::new();
        for layer in &self.layers {
            let (bytes, kind) = if compressed {
                (gzip(layer), "application/vnd.oci.image.layer.v1.tar+gzip")
            } else {
                (layer.clone(), "application/vnd.oci.image.layer.v1.tar")
            };
            layers.push(descriptor(kind, &bytes));
            entries.push(blob(&bytes));
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", &self.config),
            "layers": layers,
        })
        .to_string()
        .into_bytes();
        let index = json!({
            "schemaVersion": 2,
            "manifests": [descriptor("application/vnd.oci.image.manifest.v1+json", &manifest)],
        });
        entries.push(blob(&self.config));
        entries.push(blob(&manifest));
        entries.push(Entry::file("index.json", index.to_string().as_bytes()));
        entries
    }
}

pub(crate) fn descriptor(kind: &str, bytes: &[u8]) -> Value {
    json!({
        "mediaType": kind,
        "digest": format!("sha256:{}", sha256(bytes)),
        "size": bytes.len(),
    })
}

/// The entries as files.
pub(crate) fn unpack(entries: &[Entry], folder: &Path) {
    for entry in entries {
        let path = folder.join(&entry.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &entry.bytes).unwrap();
    }
}
