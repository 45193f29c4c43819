//! What every leg compares with.

use crate::CtlError;
use crate::artifact::walk;
use crate::verify::{BadInput, Request, Row, statements};
use attest::{
    Artifact, Difference, Entry, Kind, Manifest, Node, Offset, RelativePath, Signature, Verdict,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The manifest, which of its artifacts are meant, and where good copies may lie.
#[derive(Debug)]
pub struct Context {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they say.
    pub manifest: Manifest,
    /// Where they lie.
    pub path: PathBuf,
    /// Its signature, if that was checked and is valid.
    pub signature: Option<Signature>,
    only: Vec<String>,
    reference: Option<PathBuf>,
}

impl Context {
    pub(crate) fn new(
        request: &Request,
        bytes: Vec<u8>,
        manifest: Manifest,
        signature: Option<Signature>,
    ) -> Result<Self, BadInput> {
        for name in &request.artifacts {
            known(&manifest, name)?;
        }
        if let Some(folder) = request.reference.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(BadInput::new(format!(
                "--reference {}: there is no such folder",
                folder.display()
            )));
        }
        Ok(Self {
            bytes,
            manifest,
            path: request.manifest.clone(),
            signature,
            only: request.artifacts.clone(),
            reference: request.reference.clone(),
        })
    }

    /// The artifacts that are meant.
    pub fn artifacts(&self) -> impl Iterator<Item = &Artifact> {
        self.manifest
            .artifacts()
            .iter()
            .filter(|artifact| self.is_meant(artifact))
    }

    /// Whether it was asked for.
    pub fn is_meant(&self, artifact: &Artifact) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == artifact.name.as_str())
    }

    /// Whether every artifact was asked for.
    pub const fn all_are_meant(&self) -> bool {
        self.only.is_empty()
    }

    /// The artifact of that name and of one of these kinds, for an option that names it.
    pub(crate) fn named(&self, name: &str, kinds: &[Kind]) -> Result<&Artifact, BadInput> {
        let artifact = known(&self.manifest, name)?;
        if kinds.contains(&artifact.kind) {
            Ok(artifact)
        } else {
            Err(BadInput::new(format!(
                "{name} is a {} in the manifest, which this option does not check",
                artifact.kind
            )))
        }
    }

    /// Where a good copy of an artifact may lie. Nothing of it is trusted before its hash was taken.
    pub fn references(&self, artifact: &Artifact) -> Vec<PathBuf> {
        let name = artifact.name.as_str();
        let beside = self.path.parent().unwrap_or(Path::new("."));
        let mut folders: Vec<PathBuf> = self.reference.iter().map(|dir| dir.join(name)).collect();
        folders.push(beside.join(name));
        folders.extend(
            artifact
                .store_path
                .iter()
                .map(|path| PathBuf::from(path.as_str())),
        );
        folders.retain(|folder| folder.exists());
        folders
    }

    /// Compares an artifact on the disk, and what the manifest says of it beside its files.
    pub fn compare_path(&self, artifact: &Artifact, path: &Path, row: Row) -> Row {
        match read(artifact, path) {
            Ok(Read::Whole(node)) => {
                let row = self.compare(artifact, &node, path, row);
                if row.verdict == Verdict::Match {
                    return row.verdict(statements::check(artifact, &node));
                }
                row
            }
            Ok(Read::Oversized(difference)) => row.verdict(Verdict::Differs(difference)),
            Err(CtlError::Io { source, path, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                row.missing(format!("{} is not there", path.display()))
            }
            Err(error) => row.not_checked(error.to_string()),
        }
    }

    /// Compares an artifact in memory, which came from `from`.
    pub fn compare(&self, artifact: &Artifact, node: &Node, from: &Path, mut row: Row) -> Row {
        row.verdict = attest::compare(artifact, node, None);
        let Verdict::Differs(Difference {
            file: Some(file),
            offset: Offset::Within { .. } | Offset::Unknown,
            ..
        }) = &row.verdict
        else {
            return row;
        };
        let Ok(file) = RelativePath::try_from(file.as_str()) else {
            return row;
        };
        // The manifest alone tells the block; a good copy of that file tells the byte.
        for reference in self.references(artifact) {
            let good = reference.join(file.as_str());
            let Some(Entry::File { size, .. }) = artifact.entry(file.as_str()) else {
                return row;
            };
            // Only as much as a good copy has.
            let copy = walk::read_within(&good, *size).ok();
            let Some(copy) = copy.map(|copy| nest(&file, copy)) else {
                continue;
            };
            let exact = attest::compare(artifact, node, Some(&copy));
            if let Verdict::Differs(Difference {
                offset: Offset::At(_),
                ..
            }) = &exact
            {
                let bad = if from.is_dir() {
                    from.join(file.as_str())
                } else {
                    from.to_owned()
                };
                row.verdict = exact;
                row.files = Some((good, bad));
                return row;
            }
        }
        row
    }

    /// Compares one file of an artifact.
    pub fn compare_file(
        &self,
        artifact: &Artifact,
        file: &str,
        contents: Vec<u8>,
        from: &Path,
        row: Row,
    ) -> Row {
        let Some(entry @ Entry::File { executable, .. }) = artifact.entry(file) else {
            return row.not_checked(format!("the manifest has no file {file} of it"));
        };
        let node = nest(
            entry.path(),
            Node::File {
                executable: *executable,
                contents,
            },
        );
        // An artifact of this file alone. Its NAR hash is no evidence, as nothing but the file goes into it.
        let alone = Artifact {
            files: vec![entry.clone()],
            nar_hash: node.nar_hash(),
            ..artifact.clone()
        };
        self.compare(&alone, &node, from, row)
    }
}

enum Read {
    Whole(Node),
    /// So much larger than the manifest says that it was not read.
    Oversized(Difference),
}

/// More than an artifact and a file too many of it may have; beyond it the sizes alone say no.
const SPARE: u64 = 64 << 20;

fn read(artifact: &Artifact, path: &Path) -> Result<Read, CtlError> {
    let stated = |path: &str| match artifact.entry(path) {
        Some(Entry::File { size, .. }) => Some(*size),
        _ => None,
    };
    let expected = artifact.files.iter().map(|entry| match entry {
        Entry::File { size, .. } => *size,
        Entry::Link { .. } => 0,
    });
    let most = expected
        .fold(0, u64::saturating_add)
        .saturating_add(SPARE)
        .min(walk::MOST_BYTES);
    let sizes = walk::sizes(path)?;
    let found = sizes.iter().map(|(_, size)| *size);
    if found.fold(0, u64::saturating_add) > most
        && let Some((file, size)) = sizes
            .iter()
            .find(|(file, size)| stated(file).is_none_or(|stated| *size > stated))
    {
        let said = |size: u64| format!("{size} bytes");
        let expected = stated(file);
        return Ok(Read::Oversized(Difference {
            file: Some(file.clone()),
            // As the beginning was not read, either.
            offset: Offset::Unknown,
            expected: expected.map_or("absent".to_owned(), said),
            actual: said(*size),
            detail: match expected {
                Some(expected) => {
                    format!("{file} has {size} bytes, {expected} expected; it was not read")
                }
                None => format!("{file} is not in the manifest; it was not read"),
            },
        }));
    }
    walk::read_within(path, most).map(Read::Whole)
}

fn known<'a>(manifest: &'a Manifest, name: &str) -> Result<&'a Artifact, BadInput> {
    manifest.artifact(name).ok_or_else(|| {
        let names: Vec<&str> = manifest
            .artifacts()
            .iter()
            .map(|artifact| artifact.name.as_str())
            .collect();
        BadInput::new(format!(
            "the manifest names no artifact {name:?}; it names {}",
            names.join(", ")
        ))
    })
}

/// A tree that has this at `path`, and nothing else.
fn nest(path: &RelativePath, node: Node) -> Node {
    path.as_str().rsplit('/').fold(node, |inner, name| {
        Node::Folder(BTreeMap::from([(name.to_owned(), inner)]))
    })
}
