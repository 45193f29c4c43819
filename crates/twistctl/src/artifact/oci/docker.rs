//! The form that `docker save` and Nix write: `manifest.json` beside the configuration and the layers.

use super::budget::Budget;
use super::source::Source;
use super::{Found, OciError, ReadImage, assemble, json};
use attest::Sha256;
use serde::Deserialize;

pub(super) const INDEX: &str = "manifest.json";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

pub(super) fn read(source: &mut Source, budget: &mut Budget) -> Result<ReadImage, OciError> {
    let mut images: Vec<Entry> = json::read_unambiguous(INDEX, &source.get(INDEX, budget)?)?;
    if images.len() > 1 {
        return Err(OciError::Several {
            names: images.iter().map(name).collect(),
        });
    }
    let Some(image) = images.pop() else {
        return Err(OciError::damaged(INDEX, "names no image"));
    };
    let config = source.get(&image.config, budget)?;
    let is = Sha256::of(&config);
    if claimed(&image.config).is_some_and(|claimed| claimed != is) {
        return Err(OciError::damaged(
            &image.config,
            format!("the configuration's SHA-256 is {is}, and its name says otherwise"),
        ));
    }
    let mut found = Vec::new();
    for layer in image.layers {
        budget.entry(&layer)?;
        let bytes = source.uncompressed(&layer, budget)?;
        found.push(Found {
            entry: layer,
            bytes,
        });
    }
    assemble(&image.config, config, found)
}

/// The hash that a configuration's name is: `<sha256>.json` or `blobs/sha256/<sha256>`.
fn claimed(name: &str) -> Option<Sha256> {
    let file = name.rsplit('/').next()?;
    Sha256::try_from(file.strip_suffix(".json").unwrap_or(file)).ok()
}

fn name(image: &Entry) -> String {
    let tags = image.repo_tags.as_deref().unwrap_or_default();
    let name = if tags.is_empty() {
        image.config.clone()
    } else {
        tags.join(" ")
    };
    super::shown(&name)
}
