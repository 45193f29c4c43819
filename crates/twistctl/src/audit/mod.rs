//! The objects of an audit log, from a folder or from the bucket itself.

mod folder;
mod r2;

pub(crate) use folder::Folder;
pub(crate) use r2::R2;

use crate::CtlError;

/// Where the objects are.
pub(crate) enum Source {
    /// A copy.
    Folder(Folder),
    /// The bucket, over Cloudflare's API.
    R2(R2),
}

impl Source {
    /// All keys, in the order of the chain.
    pub(crate) async fn keys(&self) -> Result<Vec<String>, CtlError> {
        let mut keys = match self {
            Self::Folder(folder) => folder.keys()?,
            Self::R2(bucket) => bucket.keys().await?,
        };
        keys.sort_unstable();
        Ok(keys)
    }

    /// An object's bytes.
    pub(crate) async fn read(&self, key: &str) -> Result<Vec<u8>, CtlError> {
        match self {
            Self::Folder(folder) => folder.read(key),
            Self::R2(bucket) => bucket.read(key).await,
        }
    }
}
