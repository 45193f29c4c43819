//! Whether an artifact is the one of the manifest, and if not, where they first differ.

use crate::{Artifact, Blocks, Entry, Image, Node, RelativePath, Sha256};
use std::fmt;

/// The answer for one artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every byte was compared and is equal.
    Match,
    /// It is another one.
    Differs(Difference),
    /// It is not there; the text says what is not.
    Missing(String),
    /// Nobody looked; the text says why.
    NotChecked(String),
}

/// The first thing in which an artifact differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The file in the artifact; none when it is about the artifact as a whole.
    pub file: Option<String>,
    /// Where in that file.
    pub offset: Offset,
    /// What the manifest says: a hash, a size, a target.
    pub expected: String,
    /// What was found.
    pub actual: String,
    /// The sentence for a person.
    pub detail: String,
}

/// A place in a file, counted in bytes from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offset {
    /// This byte is the first that differs.
    At(u64),
    /// It is among these; nothing at hand says more.
    Within {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// There is no telling.
    Unknown,
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => write!(f, "byte {at}"),
            Self::Within { from, to } => write!(f, "bytes {from} to {to}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// The first position in which the two differ; the length of the shorter when it is the other's beginning.
pub fn first_difference(a: &[u8], b: &[u8]) -> Option<u64> {
    if a == b {
        return None;
    }
    Some(a.iter().zip(b).take_while(|(a, b)| a == b).count() as u64)
}

/// Whether `actual` is `artifact`.
///
/// `reference` is another copy, from anywhere: a file of it that has the manifest's hash tells the exact byte of
/// a difference, others are ignored.
pub fn compare(artifact: &Artifact, actual: &Node, reference: Option<&Node>) -> Verdict {
    let entries = match actual.entries() {
        Ok(entries) => entries,
        Err(error) => return differs(None, "a valid name", "another", error.to_string()),
    };
    let mut found = entries.iter().peekable();
    for expected in &artifact.files {
        // Both are sorted, so what comes before the expected one is extra.
        if let Some(extra) = found.next_if(|entry| entry.path() < expected.path()) {
            return extra_file(extra.path());
        }
        let Some(entry) = found.next_if(|entry| entry.path() == expected.path()) else {
            let path = expected.path();
            return differs(
                Some(path),
                "present",
                "absent",
                format!("{path} is missing"),
            );
        };
        if let Some(difference) = entry_difference(expected, entry, actual, reference) {
            return Verdict::Differs(difference);
        }
    }
    if let Some(extra) = found.next() {
        return extra_file(extra.path());
    }
    let hash = actual.nar_hash();
    if hash == artifact.nar_hash {
        return Verdict::Match;
    }
    differs(
        None,
        &artifact.nar_hash.to_string(),
        &hash.to_string(),
        "every file is equal, but not the whole: there are empty folders too many or too few"
            .to_owned(),
    )
}

fn entry_difference(
    expected: &Entry,
    found: &Entry,
    actual: &Node,
    reference: Option<&Node>,
) -> Option<Difference> {
    if expected == found {
        return None;
    }
    let path = expected.path();
    let difference = |expected: String, found: String, offset: Offset, detail: String| Difference {
        file: Some(path.to_string()),
        offset,
        expected,
        actual: found,
        detail,
    };
    Some(match (expected, found) {
        (
            Entry::File {
                sha256,
                size,
                blocks,
                executable,
                ..
            },
            Entry::File {
                sha256: found_sha256,
                size: found_size,
                blocks: found_blocks,
                executable: found_executable,
                ..
            },
        ) => {
            if sha256 == found_sha256 {
                let say = |executable: &bool| {
                    if *executable {
                        "executable"
                    } else {
                        "not executable"
                    }
                    .to_owned()
                };
                let (expected, found) = (say(executable), say(found_executable));
                let detail = format!("{path} must be {expected}, and is {found}");
                return Some(difference(expected, found, Offset::Unknown, detail));
            }
            let offset = exact(path, sha256, actual, reference)
                .or_else(|| by_blocks(blocks, found_blocks, (*size).max(*found_size)))
                .unwrap_or(Offset::Unknown);
            let sizes = if size == found_size {
                String::new()
            } else {
                format!(" ({size} bytes expected, {found_size} found)")
            };
            let detail = format!("{path} differs at {offset}{sizes}");
            difference(sha256.to_string(), found_sha256.to_string(), offset, detail)
        }
        (expected, found) => {
            let say = |entry: &Entry| match entry {
                Entry::File { .. } => "a file".to_owned(),
                Entry::Link { target, .. } => format!("a link to {target:?}"),
            };
            let (expected, found) = (say(expected), say(found));
            let detail = format!("{path} must be {expected}, and is {found}");
            difference(expected, found, Offset::Unknown, detail)
        }
    })
}

/// The very byte, if the reference has the file as the manifest wants it.
fn exact(
    path: &RelativePath,
    sha256: &Sha256,
    actual: &Node,
    reference: Option<&Node>,
) -> Option<Offset> {
    let contents = |node: &'_ Node| match node.at(path) {
        Some(Node::File { contents, .. }) => Some(contents.clone()),
        _ => None,
    };
    let good = contents(reference?)?;
    if Sha256::of(&good) != *sha256 {
        return None;
    }
    first_difference(&good, &contents(actual)?).map(Offset::At)
}

/// The block; one byte long at the least.
fn by_blocks(expected: &Blocks, found: &Blocks, size: u64) -> Option<Offset> {
    let from = expected.first_difference(found)? as u64 * Blocks::SIZE as u64;
    let to = (from + Blocks::SIZE as u64).min(size).max(from + 1) - 1;
    Some(Offset::Within { from, to })
}

/// Whether an image is the one of the manifest.
pub fn compare_image(expected: &Image, actual: &Image) -> Verdict {
    if expected.layers.len() != actual.layers.len() {
        return differs(
            None,
            &expected.layers.len().to_string(),
            &actual.layers.len().to_string(),
            format!(
                "the image has {} layers, {} expected",
                actual.layers.len(),
                expected.layers.len()
            ),
        );
    }
    for (number, (expected, actual)) in expected.layers.iter().zip(&actual.layers).enumerate() {
        if expected != actual {
            let name = format!("layer {}", number + 1);
            return Verdict::Differs(Difference {
                offset: Offset::Unknown,
                expected: expected.diff_id.to_string(),
                actual: actual.diff_id.to_string(),
                detail: format!("{name} is another one"),
                file: Some(name),
            });
        }
    }
    if expected.config == actual.config {
        return Verdict::Match;
    }
    Verdict::Differs(Difference {
        file: Some("config".to_owned()),
        offset: Offset::Unknown,
        expected: expected.config.to_string(),
        actual: actual.config.to_string(),
        detail: "the layers are equal, the image's configuration is another one".to_owned(),
    })
}

fn extra_file(path: &RelativePath) -> Verdict {
    differs(
        Some(path),
        "absent",
        "present",
        format!("{path} is not in the manifest"),
    )
}

fn differs(file: Option<&RelativePath>, expected: &str, actual: &str, detail: String) -> Verdict {
    Verdict::Differs(Difference {
        file: file.map(ToString::to_string),
        offset: Offset::Unknown,
        expected: expected.to_owned(),
        actual: actual.to_owned(),
        detail,
    })
}
