//! Why a command did not do what was asked.

use std::io;
use std::path::{Path, PathBuf};

/// A command failed. Its text is for the person who typed it.
#[derive(Debug, thiserror::Error)]
pub enum CtlError {
    /// A server or process.
    #[error(transparent)]
    Stack(#[from] stack::StackError),
    /// A call to the platform.
    #[error(transparent)]
    Client(#[from] client::ClientError),
    /// A file.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The operation, as a verb.
        doing: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file of ours that does not read back.
    #[error("{} is damaged ({source}); `up --fresh` starts over", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A tool that was run.
    #[error("{what} failed:\n{output}")]
    Tool {
        /// What it should have done.
        what: String,
        /// What it printed.
        output: String,
    },
    /// Something that the person can mend.
    #[error("{0}")]
    Help(String),
    /// The bill of materials.
    #[error("the bill of materials: {0}")]
    Sbom(#[from] crate::sbom::SbomError),
    /// The edge.
    #[error(transparent)]
    Edge(#[from] crate::edge::EdgeError),
    /// Events.
    #[error(transparent)]
    Bus(#[from] bus::BusError),
    /// The database.
    #[error("the database: {0}")]
    Database(#[from] sea_orm::DbErr),
}

impl CtlError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}
