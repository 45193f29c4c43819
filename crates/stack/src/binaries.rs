//! Finds programs.

use crate::StackError;
use std::path::{Path, PathBuf};

/// The programs of one PostgreSQL installation.
#[derive(Debug, Clone)]
pub struct PostgresBinaries {
    /// Makes a data folder.
    pub initdb: PathBuf,
    /// The server.
    pub postgres: PathBuf,
    /// The client.
    pub psql: PathBuf,
}

/// `name` on `PATH`.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// PostgreSQL from `TWIST_POSTGRES_BIN`, `PATH`, or where Debian and Red Hat put it (the newest).
pub fn postgres() -> Result<PostgresBinaries, StackError> {
    let named = std::env::var_os("TWIST_POSTGRES_BIN").map(PathBuf::from);
    let on_path = on_path("postgres")
        // Debian's `initdb` finds its files beside the real program, not beside a link to it.
        .and_then(|file| file.canonicalize().ok())
        .and_then(|file| file.parent().map(Path::to_owned));
    let packaged = [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/usr/local", "pgsql"),
    ]
    .into_iter()
    .flat_map(|(base, prefix)| versions(Path::new(base), prefix));
    named
        .into_iter()
        .chain(on_path)
        .chain(packaged)
        .find_map(|bin| complete(&bin))
        .ok_or(StackError::Missing {
            program: "PostgreSQL (initdb, postgres, psql)",
            hint: "install the package postgresql, or set TWIST_POSTGRES_BIN to its bin folder",
        })
}

/// `redis-server`, or Valkey's, which is the same for us.
pub fn redis() -> Result<PathBuf, StackError> {
    std::env::var_os("TWIST_REDIS_SERVER")
        .map(PathBuf::from)
        .filter(|file| file.is_file())
        .or_else(|| on_path("redis-server"))
        .or_else(|| on_path("valkey-server"))
        .ok_or(StackError::Missing {
            program: "redis-server",
            hint: "install the package redis-server, or set TWIST_REDIS_SERVER to the program",
        })
}

fn complete(bin: &Path) -> Option<PostgresBinaries> {
    let file = |name: &str| Some(bin.join(name)).filter(|file| file.is_file());
    Some(PostgresBinaries {
        initdb: file("initdb")?,
        postgres: file("postgres")?,
        psql: file("psql").or_else(|| on_path("psql"))?,
    })
}

fn versions(base: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(base)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let version = name.to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, bin)| bin).collect()
}
