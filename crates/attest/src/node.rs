//! An artifact in memory.

use crate::{Blocks, Entry, InvalidName, NarHash, RelativePath, Sha256, nar};
use std::collections::BTreeMap;

/// A file, a link, or a folder of them, as Nix sees it: no owners, no times, no permissions but one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A regular file.
    File {
        /// Whether its owner may run it.
        executable: bool,
        /// Its bytes.
        contents: Vec<u8>,
    },
    /// A symbolic link.
    Link {
        /// Where it leads, as it is written.
        target: String,
    },
    /// A folder, by name.
    Folder(BTreeMap<String, Node>),
}

impl Node {
    /// The hash of its Nix archive.
    pub fn nar_hash(&self) -> NarHash {
        nar::hash(self)
    }

    /// Every file and link in it, sorted by path. Empty folders leave no trace here; the NAR hash knows them.
    ///
    /// # Errors
    /// A name that no manifest takes, such as one with a line break.
    pub fn entries(&self) -> Result<Vec<Entry>, InvalidName> {
        let mut entries = Vec::new();
        if let Self::Folder(children) = self {
            collect(children, "", &mut entries)?;
        }
        // Folder by folder is not path by path: "a-b" stands before "a/c".
        entries.sort_by(|a, b| a.path().cmp(b.path()));
        Ok(entries)
    }

    /// What lies at `path`.
    pub fn at(&self, path: &RelativePath) -> Option<&Self> {
        path.as_str().split('/').try_fold(self, |node, name| {
            let Self::Folder(children) = node else {
                return None;
            };
            children.get(name)
        })
    }
}

fn collect(
    children: &BTreeMap<String, Node>,
    above: &str,
    entries: &mut Vec<Entry>,
) -> Result<(), InvalidName> {
    for (name, node) in children {
        let path = format!("{above}{name}");
        match node {
            Node::File {
                executable,
                contents,
            } => entries.push(Entry::File {
                path: RelativePath::try_from(path.as_str())?,
                size: contents.len() as u64,
                sha256: Sha256::of(contents),
                executable: *executable,
                blocks: Blocks::of(contents),
            }),
            Node::Link { target } => entries.push(Entry::Link {
                path: RelativePath::try_from(path.as_str())?,
                target: target.clone(),
            }),
            Node::Folder(below) => collect(below, &format!("{path}/"), entries)?,
        }
    }
    Ok(())
}
