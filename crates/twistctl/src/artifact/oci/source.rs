//! The files of an image archive or layout folder, by name.

use super::archive::{self, Item};
use super::budget::Budget;
use super::{OciError, shown};
use flate2::read::MultiGzDecoder;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Where the image's files come from.
pub(super) enum Source {
    /// A tar file, in memory.
    Archive(BTreeMap<String, Item>),
    /// An OCI layout.
    Folder(PathBuf),
}

/// Links to links.
const MOST_LINKS: usize = 8;

impl Source {
    pub(super) fn open(path: &Path, budget: &mut Budget) -> Result<Self, OciError> {
        let meta = fs::metadata(path).map_err(io(path))?;
        if meta.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        if !meta.is_file() {
            return Err(OciError::damaged(
                &path.display().to_string(),
                "is neither a file nor a folder",
            ));
        }
        let file = File::open(path).map_err(io(path))?;
        archive::read(path, file, budget).map(Self::Archive)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Archive(items) => items.contains_key(name),
            Self::Folder(root) => root.join(name).is_file(),
        }
    }

    /// The bytes of an entry, which must be there.
    pub(super) fn get(&self, name: &str, budget: &mut Budget) -> Result<Vec<u8>, OciError> {
        match self {
            Self::Archive(items) => {
                let bytes = find(items, name)?;
                budget.spend(name, bytes.len())?;
                Ok(bytes.to_vec())
            }
            Self::Folder(root) => from_folder(root, name, budget),
        }
    }

    /// The same, uncompressed if it is gzip.
    pub(super) fn uncompressed(
        &self,
        name: &str,
        budget: &mut Budget,
    ) -> Result<Vec<u8>, OciError> {
        let read;
        let bytes = match self {
            Self::Archive(items) => find(items, name)?,
            Self::Folder(root) => {
                read = from_folder(root, name, budget)?;
                &read
            }
        };
        if bytes.starts_with(&archive::GZIP) {
            budget.read_all(name, MultiGzDecoder::new(bytes))
        } else if bytes.starts_with(&archive::ZSTD) {
            Err(OciError::unsupported(name, "zstd"))
        } else {
            budget.spend(name, bytes.len())?;
            Ok(bytes.to_vec())
        }
    }
}

/// Follows links, inside the archive only.
fn find<'a>(items: &'a BTreeMap<String, Item>, name: &str) -> Result<&'a [u8], OciError> {
    let mut at = archive::normal(name, name)?;
    for _ in 0..MOST_LINKS {
        match items.get(&at) {
            Some(Item::File(bytes)) => return Ok(bytes),
            Some(Item::Link(target)) => at = target.clone(),
            None => {
                return Err(OciError::damaged(name, "is not in the archive"));
            }
        }
    }
    Err(OciError::damaged(name, "is a link in a circle"))
}

fn from_folder(root: &Path, name: &str, budget: &mut Budget) -> Result<Vec<u8>, OciError> {
    let name = archive::normal(name, name)?;
    let path = root.join(&name);
    let meta = match fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(OciError::damaged(&name, "is not in the folder"));
        }
        other => other.map_err(io(&path))?,
    };
    if !meta.is_file() {
        return Err(OciError::damaged(&name, "is no file"));
    }
    budget.read_all(&shown(&name), File::open(&path).map_err(io(&path))?)
}

pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> OciError {
    let path = path.to_owned();
    move |source| OciError::Io { path, source }
}
