//! A copy of the bucket: a file for each object, its path below the folder is its key.

use crate::CtlError;
use std::fs;
use std::path::{Path, PathBuf};

/// The copy.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(super) fn keys(&self) -> Result<Vec<String>, CtlError> {
        let mut keys = Vec::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder).map_err(CtlError::io("read", &folder))?;
            for entry in entries {
                let path = entry.map_err(CtlError::io("read", &folder))?.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    keys.push(self.key(&path)?);
                }
            }
        }
        Ok(keys)
    }

    fn key(&self, path: &Path) -> Result<String, CtlError> {
        let below = path.strip_prefix(&self.0).unwrap_or(path);
        let key = below.to_str().map(str::to_owned);
        key.ok_or_else(|| CtlError::Help(format!("{} is no object's key", path.display())))
    }

    pub(super) fn read(&self, key: &str) -> Result<Vec<u8>, CtlError> {
        let path = self.0.join(key);
        fs::read(&path).map_err(CtlError::io("read", &path))
    }
}
