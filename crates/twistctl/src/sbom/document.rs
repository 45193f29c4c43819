//! The document in `CycloneDX` 1.6. The members of every object have a fixed order, the lists are sorted.

use crate::sbom::SbomError;
use crate::sbom::closure::StorePath;
use crate::sbom::graph::{Graph, Key, Member};
use crate::sbom::lock::Checksums;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use uuid::Uuid;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
/// The reference of the whole.
const WHOLE: &str = "twist";

#[derive(Serialize)]
struct Document {
    #[serde(rename = "$schema")]
    schema: &'static str,
    #[serde(rename = "bomFormat")]
    format: &'static str,
    #[serde(rename = "specVersion")]
    spec_version: &'static str,
    #[serde(rename = "serialNumber", skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    version: u32,
    metadata: About,
    components: Vec<Component>,
    dependencies: Vec<Needs>,
}

#[derive(Serialize)]
struct About {
    component: Component,
}

#[derive(Serialize)]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    reference: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<License>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
struct License {
    expression: String,
}

#[derive(Serialize)]
struct Property {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Needs {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(rename = "dependsOn", skip_serializing_if = "BTreeSet::is_empty")]
    on: BTreeSet<String>,
}

pub(super) fn write(
    graph: &Graph<'_>,
    checksums: &Checksums,
    closure: &[StorePath],
) -> Result<Vec<u8>, SbomError> {
    let mut components = Vec::new();
    let mut dependencies = vec![whole_needs(graph, closure)];
    for (key, member) in &graph.crates {
        components.push(of_crate(key, member, checksums)?);
        dependencies.push(Needs {
            reference: reference(key),
            on: member.needs.iter().map(reference).collect(),
        });
    }
    let known: BTreeMap<&str, String> = closure
        .iter()
        .filter_map(|path| Some((path.path.as_str(), store_reference(path)?)))
        .collect();
    for path in closure {
        let Some(reference) = known.get(path.path.as_str()) else {
            continue;
        };
        components.push(of_path(path, reference));
        let others = path.references.iter().filter(|other| **other != path.path);
        dependencies.push(Needs {
            reference: reference.clone(),
            on: others
                .filter_map(|other| known.get(other.as_str()).cloned())
                .collect(),
        });
    }
    components.sort_by(|a, b| a.reference.cmp(&b.reference));
    dependencies.sort_by(|a, b| a.reference.cmp(&b.reference));
    finish(Document {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        format: "CycloneDX",
        spec_version: "1.6",
        serial_number: None,
        version: 1,
        metadata: About {
            component: whole(graph),
        },
        components,
        dependencies,
    })
}

/// Gives it a number: the same content has the same, any other content another.
fn finish(mut document: Document) -> Result<Vec<u8>, SbomError> {
    let content = serde_json::to_vec(&document).map_err(SbomError::Write)?;
    let number = Uuid::new_v5(&Uuid::NAMESPACE_OID, &content);
    document.serial_number = Some(format!("urn:uuid:{number}"));
    let mut bytes = serde_json::to_vec_pretty(&document).map_err(SbomError::Write)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn whole(graph: &Graph<'_>) -> Component {
    let version = graph
        .roots
        .first()
        .map(|key| key.version)
        .unwrap_or_default();
    let first = graph.roots.first().and_then(|key| graph.crates.get(key));
    Component {
        kind: "application",
        reference: WHOLE.to_owned(),
        name: "twist".to_owned(),
        version: version.to_owned(),
        scope: None,
        hashes: Vec::new(),
        licenses: first.map(licenses).unwrap_or_default(),
        purl: None,
        properties: Vec::new(),
    }
}

/// The artifacts' crates, and the paths of the closure that no other path leads to.
fn whole_needs(graph: &Graph<'_>, closure: &[StorePath]) -> Needs {
    let inner: BTreeSet<&str> = closure
        .iter()
        .flat_map(|path| path.references.iter().filter(|other| **other != path.path))
        .map(String::as_str)
        .collect();
    let tops = closure
        .iter()
        .filter(|path| !inner.contains(path.path.as_str()));
    let crates = graph.roots.iter().map(reference);
    Needs {
        reference: WHOLE.to_owned(),
        on: crates.chain(tops.filter_map(store_reference)).collect(),
    }
}

fn of_crate(
    key: &Key<'_>,
    member: &Member<'_>,
    checksums: &Checksums,
) -> Result<Component, SbomError> {
    let mut hashes = Vec::new();
    if let Some(source) = key.source.filter(|source| source.starts_with("registry+")) {
        let named = (
            key.name.to_owned(),
            key.version.to_owned(),
            source.to_owned(),
        );
        let content = checksums.get(&named).cloned();
        hashes.push(Hash {
            alg: "SHA-256",
            content: content
                .ok_or_else(|| SbomError::NoChecksum(format!("{} {}", key.name, key.version)))?,
        });
    }
    let programs = key.source.is_none().then(|| member.package.binaries());
    Ok(Component {
        kind: if programs.is_some() && member.package.has("bin") {
            "application"
        } else {
            "library"
        },
        reference: reference(key),
        name: key.name.to_owned(),
        version: key.version.to_owned(),
        scope: Some(if member.shipped {
            "required"
        } else {
            "excluded"
        }),
        hashes,
        licenses: licenses(member),
        purl: Some(purl(key)),
        properties: programs
            .into_iter()
            .flatten()
            .map(|name| Property {
                name: "twist:program",
                value: name.to_owned(),
            })
            .collect(),
    })
}

fn of_path(path: &StorePath, reference: &str) -> Component {
    let (name, version) = path.name_and_version();
    let at = if version.is_empty() {
        String::new()
    } else {
        format!("@{}", encoded(version))
    };
    Component {
        kind: "library",
        reference: reference.to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
        scope: Some("required"),
        hashes: Vec::new(),
        licenses: Vec::new(),
        purl: Some(format!("pkg:generic/{}{at}", encoded(name))),
        properties: vec![
            Property {
                name: "nix:narHash",
                value: path.nar_hash.clone(),
            },
            Property {
                name: "nix:narSize",
                value: path.nar_size.to_string(),
            },
            Property {
                name: "nix:storePath",
                value: path.path.clone(),
            },
        ],
    }
}

fn store_reference(path: &StorePath) -> Option<String> {
    path.base().map(|base| format!("nix:{base}"))
}

fn licenses(member: &Member<'_>) -> Vec<License> {
    // What cargo took before it asked for SPDX: a slash for "or".
    let expression = member.package.license.as_deref().map(|text| {
        let parts: Vec<&str> = text.split('/').map(str::trim).collect();
        parts.join(" OR ")
    });
    expression
        .into_iter()
        .map(|expression| License { expression })
        .collect()
}

/// Names a crate within the document: its package URL, which is unique.
fn reference(key: &Key<'_>) -> String {
    purl(key)
}

/// A crate of the workspace is in no registry, so it must not look like one of crates.io of the same name.
fn purl(key: &Key<'_>) -> String {
    let (name, version) = (encoded(key.name), encoded(key.version));
    match key.source {
        None => format!("pkg:generic/twist/{name}@{version}"),
        Some(CRATES_IO) => format!("pkg:cargo/{name}@{version}"),
        Some(other) => {
            let (kind, url) = other.split_once('+').unwrap_or(("registry", other));
            let (qualifier, url) = match kind {
                "git" => ("vcs_url", format!("git+{url}")),
                _ => ("repository_url", url.to_owned()),
            };
            format!("pkg:cargo/{name}@{version}?{qualifier}={}", encoded(&url))
        }
    }
}

/// Percent-encoding as package URLs want it.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => {
                // Writing to a string does not fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}
