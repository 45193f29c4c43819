//! What a manifest says of an artifact beside its files: the image in it, the hash of the program.
//!
//! A manifest could name one image and list the archive of another, and a reader of the one would be misled by
//! a yes to the other.

use crate::artifact::oci::{self, OciError};
use attest::{Artifact, Difference, Node, Offset, RelativePath, Verdict};
use std::path::Path;

/// The archive in an artifact of kind image.
pub(super) const ARCHIVE: &str = "image.tar.gz";

/// Whether it all follows from the files, which are the manifest's.
pub(super) fn check(artifact: &Artifact, node: &Node) -> Verdict {
    if let Some(image) = &artifact.image {
        let Some(archive) = contents(node, ARCHIVE) else {
            return Verdict::NotChecked(format!(
                "it has no {ARCHIVE}, so no image can be compared"
            ));
        };
        let read = match oci::read_bytes(Path::new(ARCHIVE), archive) {
            Ok(read) => read,
            Err(error) => return unreadable(&error, &image.config.to_string()),
        };
        if let Verdict::Differs(found) = attest::compare_image(image, &read.image) {
            return Verdict::Differs(Difference {
                detail: format!(
                    "the files are the manifest's, but it says that the image in them is another one: {}",
                    found.detail
                ),
                ..found
            });
        }
    }
    if let Some(stated) = &artifact.program_hash {
        let file = format!("{}.so", artifact.name);
        let Some(program) = contents(node, &file) else {
            return Verdict::NotChecked(format!("it has no {file}, so no hash can be taken of it"));
        };
        let hash = attest::program_hash(program);
        if hash != *stated {
            return Verdict::Differs(Difference {
                detail: "the files are the manifest's, but it states another program hash"
                    .to_owned(),
                file: Some(file),
                offset: Offset::Unknown,
                expected: stated.to_string(),
                actual: hash.to_string(),
            });
        }
    }
    Verdict::Match
}

fn contents<'a>(node: &'a Node, file: &str) -> Option<&'a [u8]> {
    match node.at(&RelativePath::try_from(file).ok()?) {
        Some(Node::File { contents, .. }) => Some(contents),
        _ => None,
    }
}

fn unreadable(error: &OciError, expected: &str) -> Verdict {
    match error {
        OciError::Damaged { .. } | OciError::OtherLayer(_) => Verdict::Differs(Difference {
            file: Some(ARCHIVE.to_owned()),
            offset: Offset::Unknown,
            expected: expected.to_owned(),
            actual: "no image".to_owned(),
            detail: format!("the files are the manifest's, but there is no image in them: {error}"),
        }),
        _ => Verdict::NotChecked(format!(
            "the files are the manifest's, but the image in them cannot be read: {error}"
        )),
    }
}
