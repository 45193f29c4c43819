//! An artifact from the disk into memory.

use crate::CtlError;
use attest::Node;
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Bytes of all files of one artifact.
pub(crate) const MOST_BYTES: u64 = 2 << 30;
/// Files, links and folders of one artifact.
const MOST_ENTRIES: usize = 100_000;
/// As much memory is taken at a time: what a file says of its size may be a lie, or a hole.
const STEP: usize = 1 << 20;
/// Folders inside one another.
const MOST_DEPTH: usize = 64;

/// Reads a file, or a folder and everything in it.
///
/// A link as the artifact itself leads to the artifact, as in a folder of Nix results; a link inside of it is
/// a part of it and stays a link. What has no place in an artifact is refused by name: sockets, devices and
/// pipes, names that are not UTF-8, files that cannot be read, more than 2 GiB or 100,000 entries.
pub fn read(root: &Path) -> Result<Node, CtlError> {
    read_within(root, MOST_BYTES)
}

/// [`read`] with another limit in bytes.
pub(crate) fn read_within(root: &Path, most_bytes: u64) -> Result<Node, CtlError> {
    let resolved = fs::canonicalize(root).map_err(CtlError::io("read", root))?;
    node(&resolved, MOST_DEPTH, &mut Left::new(most_bytes))
}

/// Every file in it with its size, and nothing of it read, sorted by path. A file that is the whole has no path.
pub(crate) fn sizes(root: &Path) -> Result<Vec<(String, u64)>, CtlError> {
    let resolved = fs::canonicalize(root).map_err(CtlError::io("read", root))?;
    let mut left = Left::new(0);
    let mut found = Vec::new();
    let mut ahead = vec![(resolved, String::new(), MOST_DEPTH)];
    while let Some((path, name, depth)) = ahead.pop() {
        let meta = fs::symlink_metadata(&path).map_err(CtlError::io("read", &path))?;
        if meta.is_file() {
            found.push((name, meta.len()));
        } else if meta.is_dir() {
            let depth = one_deeper(&path, depth)?;
            for (child, below) in children(&path, &mut left)? {
                let separator = if name.is_empty() { "" } else { "/" };
                ahead.push((below, format!("{name}{separator}{child}"), depth));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What may still be read.
struct Left {
    most: u64,
    bytes: u64,
    entries: usize,
}

impl Left {
    const fn new(bytes: u64) -> Self {
        Self {
            most: bytes,
            bytes,
            entries: MOST_ENTRIES,
        }
    }
}

fn node(path: &Path, depth: usize, left: &mut Left) -> Result<Node, CtlError> {
    let meta = fs::symlink_metadata(path).map_err(CtlError::io("read", path))?;
    if meta.is_symlink() {
        let target = fs::read_link(path).map_err(CtlError::io("read", path))?;
        let target = target
            .to_str()
            .ok_or_else(|| refused(path, "is a link to a name that is not UTF-8"))?
            .to_owned();
        Ok(Node::Link { target })
    } else if meta.is_dir() {
        let depth = one_deeper(path, depth)?;
        let below = children(path, left)?;
        let nodes = below
            .into_iter()
            .map(|(name, path)| Ok((name, node(&path, depth, left)?)))
            .collect::<Result<_, CtlError>>()?;
        Ok(Node::Folder(nodes))
    } else {
        file(path, left)
    }
}

fn one_deeper(path: &Path, depth: usize) -> Result<usize, CtlError> {
    depth
        .checked_sub(1)
        .ok_or_else(|| refused(path, "lies too deep"))
}

fn children(path: &Path, left: &mut Left) -> Result<BTreeMap<String, PathBuf>, CtlError> {
    let mut children = BTreeMap::new();
    for entry in fs::read_dir(path).map_err(CtlError::io("read", path))? {
        let entry = entry.map_err(CtlError::io("read", path))?;
        left.entries = left
            .entries
            .checked_sub(1)
            .ok_or_else(|| refused(path, "makes the artifact have more than 100,000 entries"))?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|_| refused(&entry.path(), "has a name that is not UTF-8"))?;
        children.insert(name, entry.path());
    }
    Ok(children)
}

/// Opens a regular file. Opening a pipe waits for somebody to write into it, so it is looked at before; whoever
/// replaces the file between the two can still make this wait, but not be taken for a file.
pub(crate) fn open(path: &Path) -> Result<(File, Metadata), CtlError> {
    let io = || CtlError::io("read", path);
    if !fs::metadata(path).map_err(io())?.is_file() {
        return Err(no_file(path));
    }
    let file = File::open(path).map_err(io())?;
    // Of the file that was opened: the name may lead elsewhere by now.
    let meta = file.metadata().map_err(io())?;
    if meta.is_file() {
        Ok((file, meta))
    } else {
        Err(no_file(path))
    }
}

fn file(path: &Path, left: &mut Left) -> Result<Node, CtlError> {
    let (mut file, meta) = open(path)?;
    let most = left.most;
    let too_large = || {
        refused(
            path,
            &format!("makes the artifact larger than {most} bytes"),
        )
    };
    if meta.len() > left.bytes {
        return Err(too_large());
    }
    let mut contents = Vec::new();
    loop {
        contents
            .try_reserve(STEP)
            .map_err(|_| refused(path, "does not fit into this machine's memory"))?;
        let step = file
            .by_ref()
            .take(STEP as u64)
            .read_to_end(&mut contents)
            .map_err(CtlError::io("read", path))?;
        left.bytes = u64::try_from(step)
            .ok()
            .and_then(|step| left.bytes.checked_sub(step))
            .ok_or_else(too_large)?;
        if step == 0 {
            return Ok(Node::File {
                executable: is_executable(&meta),
                contents,
            });
        }
    }
}

/// As Nix sees it: the owner's bit decides.
fn is_executable(meta: &Metadata) -> bool {
    meta.permissions().mode() & 0o100 != 0
}

fn no_file(path: &Path) -> CtlError {
    refused(
        path,
        "is a socket, a device or a pipe, which no artifact has",
    )
}

#[expect(
    clippy::unnecessary_debug_formatting,
    reason = "quoted and escaped: the name may be anything"
)]
fn refused(path: &Path, why: &str) -> CtlError {
    CtlError::Help(format!("{path:?} {why}"))
}

/// The bytes of one file of `most_bytes` at most, links followed.
pub(crate) fn read_file(path: &Path, most_bytes: u64) -> Result<Vec<u8>, CtlError> {
    match file(path, &mut Left::new(most_bytes))? {
        Node::File { contents, .. } => Ok(contents),
        Node::Link { .. } | Node::Folder(_) => Err(no_file(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_without_end_are_not_walked_to_their_end() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["a", "b"] {
            fs::create_dir(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join("file"), "x").unwrap();
        }
        for (entries, enough) in [(4, true), (3, false), (1, false)] {
            let mut left = Left {
                entries,
                ..Left::new(10)
            };
            let read = node(root.path(), MOST_DEPTH, &mut left);
            assert_eq!(read.is_ok(), enough, "{entries} entries");
        }
        let found = sizes(root.path()).unwrap();
        assert_eq!(found, [("a/file".to_owned(), 1), ("b/file".to_owned(), 1)]);
    }
}
