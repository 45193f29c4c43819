//! `--oci`: a container image in an archive or layout folder, however it is packed.
//!
//! Proves that the configuration and the layers, which is what a runtime loads, are the manifest's. The packing
//! around them (names, compression, the order in the archive) is not a part of the image; where the file
//! is the manifest's as well, the row says so.

mod places;

use crate::artifact::oci::{self, OciError, ReadImage};
use crate::artifact::walk;
use crate::verify::input::named;
use crate::verify::statements::ARCHIVE;
use crate::verify::{BadInput, Context, Leg, Row};
use attest::{Artifact, Difference, Entry, Image, Kind, Offset, Sha256, Verdict};
use std::path::PathBuf;

const LEG: &str = "oci";

/// A path, and the artifact that it should be.
#[derive(Debug)]
pub struct ImageFile {
    path: PathBuf,
    expected: Option<String>,
}

impl ImageFile {
    /// From `PATH` or `NAME=PATH`.
    pub fn new(given: &str, context: &Context) -> Result<Self, BadInput> {
        let (name, path) = named(given);
        if let Some(name) = name {
            context.named(name, &[Kind::Image])?;
        }
        let mut path = PathBuf::from(path);
        // The folder of the artifact, as it is in a release.
        if path.is_dir() && path.join(ARCHIVE).is_file() {
            path.push(ARCHIVE);
        }
        Ok(Self {
            path,
            expected: name.map(str::to_owned),
        })
    }
}

impl Leg for ImageFile {
    fn check(&self, context: &Context) -> Vec<Row> {
        let mut row = Row::of_none(LEG, self.path.display().to_string());
        row.artifact.clone_from(&self.expected);
        if !self.path.exists() {
            return vec![row.missing(format!("{} is not there", self.path.display()))];
        }
        vec![match oci::read(&self.path) {
            Ok(read) => self.judge(context, &read, row),
            Err(error) => self.unreadable(context, &error, row),
        }]
    }
}

impl ImageFile {
    fn judge(&self, context: &Context, read: &ReadImage, mut row: Row) -> Row {
        let Some((artifact, expected)) = self.find(context, read) else {
            return row.verdict(Verdict::Differs(Difference {
                file: Some("config".to_owned()),
                offset: Offset::Unknown,
                expected: "an image of the manifest".to_owned(),
                actual: read.image.config.to_string(),
                detail: format!(
                    "the manifest names no image with this configuration{}",
                    title(read)
                ),
            }));
        };
        row.artifact = Some(artifact.name.to_string());
        let verdict = attest::compare_image(expected, &read.image);
        match verdict {
            Verdict::Match => {
                let packed = self.packed_alike(artifact);
                row.verdict(Verdict::Match).note(if packed {
                    "configuration and layers are equal, and so is the archive"
                } else {
                    "configuration and layers are equal; they are packed in another archive than the release's"
                })
            }
            Verdict::Differs(_) => {
                let exact = good_copies(context, artifact, expected)
                    .find_map(|good| places::first(&good, read));
                row.verdict(exact.map_or(verdict, Verdict::Differs))
            }
            other => row.verdict(other),
        }
    }

    /// By what was typed, else by the image's id, else by its own name.
    fn find<'a>(
        &self,
        context: &'a Context,
        read: &ReadImage,
    ) -> Option<(&'a Artifact, &'a Image)> {
        if let Some(name) = &self.expected {
            return images(context).find(|(artifact, _)| artifact.name.as_str() == name);
        }
        let images: Vec<_> = images(context).collect();
        let by_id = images
            .iter()
            .find(|(_, image)| image.config == read.image.config);
        let by_title = || {
            let title = read.title.as_deref()?;
            images.iter().find(|(artifact, _)| {
                let name = artifact.name.as_str();
                name == title || name.strip_prefix("oci-") == Some(title)
            })
        };
        by_id.or_else(by_title).copied()
    }

    /// Whether the file itself is the release's.
    fn packed_alike(&self, artifact: &Artifact) -> bool {
        let Some(Entry::File { sha256, size, .. }) = artifact.entry(ARCHIVE) else {
            return false;
        };
        walk::read_file(&self.path, *size).is_ok_and(|bytes| Sha256::of(&bytes) == *sha256)
    }

    /// Not an image, or one that contradicts itself: whatever it is, it is not the manifest's. One that only
    /// cannot be read here may be.
    fn unreadable(&self, context: &Context, error: &OciError, mut row: Row) -> Row {
        let entry = match error {
            OciError::Damaged { entry, .. } => entry,
            OciError::OtherLayer(other) => &other.entry,
            OciError::Io { .. }
            | OciError::Unsupported { .. }
            | OciError::TooLarge { .. }
            | OciError::Several { .. } => {
                return row.not_checked(format!("{}: {error}", self.path.display()));
            }
        };
        let mut difference = Difference {
            file: Some(entry.clone()),
            offset: Offset::Unknown,
            expected: "an image".to_owned(),
            actual: "damaged".to_owned(),
            detail: error.to_string(),
        };
        if let Some((artifact, file)) = self.damaged_copy_of(context) {
            // The release's archive with some bytes changed: then the file tells where.
            row.artifact = Some(artifact.name.to_string());
            let found = context.compare_file(artifact, ARCHIVE, file, &self.path, row.clone());
            if let Verdict::Differs(in_file) = found.verdict {
                difference = Difference {
                    detail: format!("{error}; {}", in_file.detail),
                    ..in_file
                };
                row.files = found.files;
            }
        } else if let Some((artifact, in_layer)) = in_other_layer(context, error) {
            row.artifact = Some(artifact.name.to_string());
            difference = Difference {
                detail: format!("{error}; {}", in_layer.detail),
                ..in_layer
            };
        }
        row.verdict(Verdict::Differs(difference))
    }

    fn damaged_copy_of<'a>(&self, context: &'a Context) -> Option<(&'a Artifact, Vec<u8>)> {
        let sizes = images(context).filter_map(|(artifact, _)| match artifact.entry(ARCHIVE) {
            Some(Entry::File { size, .. }) => Some(*size),
            _ => None,
        });
        // A copy with something more at its end is still a copy; what is far larger is none.
        let bytes = walk::read_file(&self.path, sizes.max()?.saturating_add(1 << 20)).ok()?;
        let mut artifacts = images(context).map(|(artifact, _)| artifact);
        let artifact = match &self.expected {
            Some(name) => artifacts.find(|artifact| artifact.name.as_str() == name),
            None => artifacts.find(|artifact| starts_alike(artifact, &bytes)),
        }?;
        Some((artifact, bytes))
    }
}

/// The manifest's configuration with a layer that is not its own, when a good copy is at hand.
fn in_other_layer<'a>(
    context: &'a Context,
    error: &OciError,
) -> Option<(&'a Artifact, Difference)> {
    let OciError::OtherLayer(other) = error else {
        return None;
    };
    let (artifact, image) = images(context).find(|(_, image)| image.config == other.config)?;
    let good = good_copies(context, artifact, image).next()?;
    let difference = places::in_layer(other.number, good.layers.get(other.number)?, &other.bytes)?;
    Some((artifact, difference))
}

/// The images of the manifest.
fn images(context: &Context) -> impl Iterator<Item = (&Artifact, &Image)> {
    let artifacts = context.manifest.artifacts().iter();
    artifacts.filter_map(|artifact| Some((artifact, artifact.image.as_ref()?)))
}

/// Copies of an image that are what the manifest says.
fn good_copies(
    context: &Context,
    artifact: &Artifact,
    image: &Image,
) -> impl Iterator<Item = ReadImage> {
    context
        .references(artifact)
        .into_iter()
        .filter_map(|folder| oci::read(&folder.join(ARCHIVE)).ok())
        .filter(move |good| good.image == *image)
}

/// Whether it has a block of the artifact's archive in its place.
fn starts_alike(artifact: &Artifact, bytes: &[u8]) -> bool {
    match artifact.entry(ARCHIVE) {
        Some(Entry::File { size, blocks, .. }) => {
            let found = attest::Blocks::of(bytes);
            *size == bytes.len() as u64
                || (blocks.count() > 1 && blocks.first_difference(&found) != Some(0))
        }
        _ => false,
    }
}

fn title(read: &ReadImage) -> String {
    read.title
        .as_ref()
        .map(|title| format!("; it calls itself {title:?}"))
        .unwrap_or_default()
}
