//! An artifact from the disk into memory.

use crate::CtlError;
use attest::Node;
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Bytes of all files of one artifact.
const MOST_BYTES: u64 = 4 << 30;
/// Folders inside one another.
const MOST_DEPTH: usize = 64;

/// Reads a file, or a folder and everything in it.
///
/// A link as the artifact itself leads to the artifact, as in a folder of Nix results; a link inside of it is
/// a part of it and stays a link. What has no place in an artifact is refused by name: sockets, devices and
/// pipes, names that are not UTF-8, files that cannot be read, more than 4 GiB.
pub fn read(root: &Path) -> Result<Node, CtlError> {
    let resolved = fs::canonicalize(root).map_err(CtlError::io("read", root))?;
    let mut left = MOST_BYTES;
    node(&resolved, MOST_DEPTH, &mut left)
}

fn node(path: &Path, depth: usize, left: &mut u64) -> Result<Node, CtlError> {
    let meta = fs::symlink_metadata(path).map_err(CtlError::io("read", path))?;
    if meta.is_symlink() {
        let target = fs::read_link(path).map_err(CtlError::io("read", path))?;
        let target = target
            .to_str()
            .ok_or_else(|| refused(path, "is a link to a name that is not UTF-8"))?
            .to_owned();
        Ok(Node::Link { target })
    } else if meta.is_dir() {
        folder(path, depth, left)
    } else if meta.is_file() {
        file(path, left)
    } else {
        Err(no_file(path))
    }
}

fn folder(path: &Path, depth: usize, left: &mut u64) -> Result<Node, CtlError> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| refused(path, "lies too deep"))?;
    let mut children = BTreeMap::new();
    for entry in fs::read_dir(path).map_err(CtlError::io("read", path))? {
        let entry = entry.map_err(CtlError::io("read", path))?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|_| refused(&entry.path(), "has a name that is not UTF-8"))?;
        children.insert(name, node(&entry.path(), depth, left)?);
    }
    Ok(Node::Folder(children))
}

fn file(path: &Path, left: &mut u64) -> Result<Node, CtlError> {
    let io = || CtlError::io("read", path);
    let file = File::open(path).map_err(io())?;
    // Of the file that was opened: the name may lead elsewhere by now.
    let meta = file.metadata().map_err(io())?;
    if !meta.is_file() {
        return Err(no_file(path));
    }
    let too_large = || refused(path, "makes the artifact larger than 4 GiB");
    if meta.len() > *left {
        return Err(too_large());
    }
    let mut contents = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or_default());
    // One more than allowed, to notice a file that grows.
    let mut bounded = file.take(left.saturating_add(1));
    let count = bounded.read_to_end(&mut contents).map_err(io())?;
    *left = u64::try_from(count)
        .ok()
        .and_then(|count| left.checked_sub(count))
        .ok_or_else(too_large)?;
    Ok(Node::File {
        executable: is_executable(&meta),
        contents,
    })
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

/// The bytes of one file, links followed, with the limits of [`read`].
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, CtlError> {
    let mut left = MOST_BYTES;
    match file(path, &mut left)? {
        Node::File { contents, .. } => Ok(contents),
        Node::Link { .. } | Node::Folder(_) => Err(no_file(path)),
    }
}
