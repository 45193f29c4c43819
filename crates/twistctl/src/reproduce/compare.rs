//! Two folders, file by file.

use crate::CtlError;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A file of either folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compared {
    path: PathBuf,
    size: usize,
    sha256: String,
    fate: Fate,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Equal,
    /// The first byte that is not the same, and the hash of the other file.
    DiffersAt(usize, String),
    /// The permissions of both.
    Mode(u32, u32),
    OnlyFirst,
    OnlySecond,
}

impl Compared {
    pub(crate) fn is_equal(&self) -> bool {
        self.fate == Fate::Equal
    }

    /// `  equal    12345678  <sha256>  auth-service/bin/auth-service`.
    pub(crate) fn line(&self) -> String {
        let (word, more) = match &self.fate {
            Fate::Equal => ("equal", String::new()),
            Fate::DiffersAt(at, other) => {
                ("DIFFERS", format!(" from byte {at}; the other has {other}"))
            }
            Fate::Mode(one, other) => ("DIFFERS", format!(" in its mode: {one:o} and {other:o}")),
            Fate::OnlyFirst => ("DIFFERS", " : the second build lacks it".to_owned()),
            Fate::OnlySecond => ("DIFFERS", " : the first build lacks it".to_owned()),
        };
        format!(
            "  {word:<8}{:>11}  {}  {}{more}",
            self.size,
            self.sha256,
            self.path.display()
        )
    }
}

/// Compares everything in two folders.
pub(super) fn folders(first: &Path, second: &Path) -> Result<Vec<Compared>, CtlError> {
    let (one, two) = (files(first)?, files(second)?);
    let paths: BTreeSet<&PathBuf> = one.keys().chain(two.keys()).collect();
    let mut compared = Vec::new();
    for path in paths {
        let (fate, bytes) = match (one.get(path), two.get(path)) {
            (Some(mode), Some(other)) => {
                let (bytes, others) = (read(&first.join(path))?, read(&second.join(path))?);
                (fate(&bytes, *mode, &others, *other), bytes)
            }
            (None, _) => (Fate::OnlySecond, read(&second.join(path))?),
            (_, None) => (Fate::OnlyFirst, read(&first.join(path))?),
        };
        compared.push(Compared {
            path: path.clone(),
            size: bytes.len(),
            sha256: hex::encode(Sha256::digest(&bytes)),
            fate,
        });
    }
    Ok(compared)
}

fn fate(one: &[u8], mode: u32, two: &[u8], other: u32) -> Fate {
    if one != two {
        let same = one.iter().zip(two).take_while(|(a, b)| a == b).count();
        return Fate::DiffersAt(same, hex::encode(Sha256::digest(two)));
    }
    if mode != other {
        return Fate::Mode(mode, other);
    }
    Fate::Equal
}

/// Relative paths of everything that is no folder, with permissions.
fn files(top: &Path) -> Result<BTreeMap<PathBuf, u32>, CtlError> {
    let mut found = BTreeMap::new();
    for path in crate::build::files(top)? {
        let file = top.join(&path);
        let about = fs::symlink_metadata(&file).map_err(CtlError::io("look at", &file))?;
        found.insert(path, about.permissions().mode() & 0o7777);
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, CtlError> {
    fs::read(path).map_err(CtlError::io("read", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder
    }

    #[test]
    fn one_changed_byte_is_found_where_it_is() {
        let one = folder(&[("a/bin/a", b"0123456789"), ("same", b"x")]);
        let two = folder(&[("a/bin/a", b"0123x56789"), ("same", b"x")]);
        let compared = folders(one.path(), two.path()).unwrap();
        assert_eq!(compared.len(), 2);
        assert!(!compared[0].is_equal() && compared[1].is_equal());
        assert!(
            compared[0].line().contains("from byte 4"),
            "{}",
            compared[0].line()
        );
        assert!(compared[0].line().contains("a/bin/a"));
    }

    #[test]
    fn a_longer_missing_or_differently_permitted_file_is_not_equal() {
        let one = folder(&[("long", b"01"), ("first", b"x"), ("mode", b"x")]);
        let two = folder(&[("long", b"012"), ("second", b"x"), ("mode", b"x")]);
        fs::set_permissions(two.path().join("mode"), fs::Permissions::from_mode(0o711)).unwrap();
        let compared = folders(one.path(), two.path()).unwrap();
        assert_eq!(compared.len(), 4);
        assert!(compared.iter().all(|file| !file.is_equal()), "{compared:?}");
        let lines: Vec<String> = compared.iter().map(Compared::line).collect();
        assert!(lines[1].contains("from byte 2"), "{lines:?}");
    }
}
