//! PostgreSQL refuses to run as root, so root gives it to an ordinary user.

use crate::StackError;
use nix::unistd::{Gid, Uid, User, chown};
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Who PostgreSQL runs as when the caller is root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrdinaryUser {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// Whether the caller is root.
pub fn is_root() -> bool {
    Uid::effective().is_root()
}

impl OrdinaryUser {
    /// `None` when the caller is an ordinary user already; else `postgres`, or `nobody`.
    pub fn to_become() -> Result<Option<Self>, StackError> {
        if !is_root() {
            return Ok(None);
        }
        for name in ["postgres", "nobody"] {
            if let Ok(Some(user)) = User::from_name(name) {
                return Ok(Some(Self {
                    uid: user.uid.as_raw(),
                    gid: user.gid.as_raw(),
                }));
            }
        }
        Err(StackError::Missing {
            program: "an ordinary user",
            hint: "PostgreSQL does not run as root: add a user named postgres",
        })
    }

    /// Makes the folder, readable by this user alone.
    pub(crate) fn own_folder(self, folder: &Path) -> Result<(), StackError> {
        make_private(folder)?;
        self.own(folder)
    }

    /// Gives the file or folder to this user.
    pub(crate) fn own(self, path: &Path) -> Result<(), StackError> {
        chown(
            path,
            Some(Uid::from_raw(self.uid)),
            Some(Gid::from_raw(self.gid)),
        )
        .map_err(std::io::Error::from)
        .map_err(StackError::io("give away", path))
    }

    /// Whether every folder above `path` that exists lets this user through.
    fn can_reach(self, path: &Path) -> bool {
        path.ancestors().skip(1).all(|above| {
            let Ok(meta) = fs::metadata(above) else {
                return true;
            };
            let bit = if meta.uid() == self.uid {
                0o100
            } else if meta.gid() == self.gid {
                0o010
            } else {
                0o001
            };
            meta.mode() & bit != 0
        })
    }
}

/// Makes the folder with mode 0700.
pub(crate) fn make_private(folder: &Path) -> Result<(), StackError> {
    fs::create_dir_all(folder).map_err(StackError::io("make", folder))?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
        .map_err(StackError::io("set the mode of", folder))
}

/// Where PostgreSQL's folder for `wanted` has to be. Usually that is `wanted`; but for root, whose home
/// nobody else may enter, it is a folder of its own below `/var/lib/twist`.
pub fn postgres_home(wanted: &Path) -> Result<PathBuf, StackError> {
    let Some(user) = OrdinaryUser::to_become()? else {
        return Ok(wanted.to_owned());
    };
    if user.can_reach(wanted) {
        return Ok(wanted.to_owned());
    }
    let mut hasher = DefaultHasher::new();
    wanted.hash(&mut hasher);
    let base = Path::new("/var/lib/twist");
    fs::create_dir_all(base).map_err(StackError::io("make", base))?;
    fs::set_permissions(base, fs::Permissions::from_mode(0o711))
        .map_err(StackError::io("set the mode of", base))?;
    Ok(base.join(format!("postgres-{:016x}", hasher.finish())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_folder_above_is_noticed() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let stranger = OrdinaryUser {
            uid: 4_000_000,
            gid: 4_000_000,
        };
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o711)).unwrap();
        assert!(stranger.can_reach(&inner));
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!stranger.can_reach(&inner));
    }
}
