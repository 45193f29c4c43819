//! Why something with the edge did not work.

use crate::edge::api::ApiError;
use std::path::{Path, PathBuf};

/// Its text is for the person who typed the command.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// Cloudflare.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A file.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The operation, as a verb.
        doing: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Anything else that the person can mend.
    #[error("{0}")]
    Help(String),
}

impl EdgeError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }

    pub(crate) fn help(text: impl Into<String>) -> Self {
        Self::Help(text.into())
    }
}
