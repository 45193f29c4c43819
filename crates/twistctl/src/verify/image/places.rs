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
        let difference = in_layer(number, good, found);
        if difference.is_some() {
            return difference;
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

/// The first byte in which two layers differ, and which file it belongs to. `number` counts from 0.
pub(super) fn in_layer(number: usize, good: &[u8], found: &[u8]) -> Option<Difference> {
    let at = first_difference(good, found)?;
    let layer = format!("layer {}", number + 1);
    let (file, offset, place) = match entry_at(good, at) {
        Some(Place::In { file, offset }) => {
            let place = format!(", which is byte {offset} of {file}");
            (format!("{layer}: {file}"), offset, place)
        }
        Some(Place::Header { file }) => {
            let place = format!(", in what it says of {file}: owner, mode, date or size");
            (layer.clone(), at, place)
        }
        None => (layer.clone(), at, String::new()),
    };
    Some(Difference {
        file: Some(file),
        offset: Offset::At(offset),
        expected: Sha256::of(good).to_string(),
        actual: Sha256::of(found).to_string(),
        detail: format!("{layer} differs at byte {at}{place}"),
    })
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
