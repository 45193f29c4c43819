//! Where two images first differ.

use crate::artifact::oci::ReadImage;
use attest::compare::first_difference;
use attest::{Difference, Offset, Sha256};
use std::io::Cursor;

/// The first byte that differs, in the lowest layer that does, else in the configuration.
pub(super) fn first(good: &ReadImage, found: &ReadImage) -> Option<Difference> {
    if good.layers.len() != found.layers.len() {
        return None;
    }
    let layers = good.layers.iter().zip(&found.layers).enumerate();
    for (number, (good, found)) in layers {
        if let Some(at) = first_difference(good, found) {
            return Some(in_layer(number + 1, at, good, found));
        }
    }
    first_difference(&good.config, &found.config).map(|at| Difference {
        file: Some("config".to_owned()),
        offset: Offset::At(at),
        expected: good.image.config.to_string(),
        actual: found.image.config.to_string(),
        detail: format!("the layers are equal, the image's configuration differs at byte {at}"),
    })
}

fn in_layer(number: usize, at: u64, good: &[u8], found: &[u8]) -> Difference {
    let (expected, actual) = (Sha256::of(good).to_string(), Sha256::of(found).to_string());
    match entry_at(good, at) {
        Some(Place::In { file, offset }) => Difference {
            detail: format!(
                "layer {number} differs at byte {at}, which is byte {offset} of {file}"
            ),
            file: Some(format!("layer {number}: {file}")),
            offset: Offset::At(offset),
            expected,
            actual,
        },
        Some(Place::Header { file }) => Difference {
            detail: format!(
                "layer {number} differs at byte {at}, in what it says of {file}: owner, mode, date or size"
            ),
            file: Some(format!("layer {number}")),
            offset: Offset::At(at),
            expected,
            actual,
        },
        None => Difference {
            detail: format!("layer {number} differs at byte {at}"),
            file: Some(format!("layer {number}")),
            offset: Offset::At(at),
            expected,
            actual,
        },
    }
}

enum Place {
    In { file: String, offset: u64 },
    Header { file: String },
}

/// What a byte of a layer belongs to.
fn entry_at(layer: &[u8], at: u64) -> Option<Place> {
    let mut archive = tar::Archive::new(Cursor::new(layer));
    for entry in archive.entries().ok()? {
        let entry = entry.ok()?;
        let file = || String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let from = entry.raw_file_position();
        if at < from {
            return Some(Place::Header { file: file() });
        }
        if at - from < entry.size() {
            return Some(Place::In {
                file: file(),
                offset: at - from,
            });
        }
    }
    None
}
