//! What can go wrong, said so that the reader knows what to do.

use std::io;
use std::path::{Path, PathBuf};

/// A process or server could not be started, reached or stopped.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// A program is not installed.
    #[error("{program} was not found; {hint}")]
    Missing {
        /// What was looked for.
        program: &'static str,
        /// What to install or set.
        hint: &'static str,
    },
    /// A file or process operation failed.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The operation, as a verb.
        doing: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A process ended on its own.
    #[error("{name} ended ({status}); its log says:\n{log}")]
    Ended {
        /// The process.
        name: String,
        /// Exit code or signal.
        status: String,
        /// The last lines of its log.
        log: String,
    },
    /// A process did not become ready.
    #[error("{name} was not ready after {seconds} s; its log says:\n{log}")]
    NotReady {
        /// The process.
        name: String,
        /// How long it was waited for.
        seconds: u64,
        /// The last lines of its log.
        log: String,
    },
    /// A tool said no.
    #[error("{tool} failed: {output}")]
    Tool {
        /// The tool.
        tool: &'static str,
        /// What it printed.
        output: String,
    },
    /// The data folder is of another major version of PostgreSQL.
    #[error(
        "the data in {} is of PostgreSQL {found}, but {wanted} is installed; start over with `up --fresh`, or set TWIST_POSTGRES_BIN to the bin folder of PostgreSQL {found}",
        folder.display()
    )]
    DataVersion {
        /// The data folder.
        folder: PathBuf,
        /// Its version.
        found: String,
        /// The version of the binaries.
        wanted: String,
    },
}

impl StackError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}
