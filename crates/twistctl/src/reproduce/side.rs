//! One of the two places: a clone of the commit, a cache, perhaps a `CARGO_HOME` of its own.

use crate::build::cargo_home;
use crate::git::git;
use crate::reproduce::condition::Conditions;
use crate::reproduce::toolchain::Toolchain;
use crate::run::watch;
use crate::{CtlError, Paths, tools};
use std::fs;
use std::os::unix::fs::lchown;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) struct Side {
    /// Everything of this side.
    place: PathBuf,
    root: PathBuf,
    cache: PathBuf,
    /// The person's own when none.
    cargo_home: Option<PathBuf>,
    /// The folders and tools of the person.
    tools: Paths,
}

impl Side {
    /// Where people keep things.
    pub(super) fn first(paths: &Paths, place: &Path) -> Self {
        let place = place.join("a");
        Self {
            root: place.join("twist"),
            cache: place.join("cache"),
            cargo_home: None,
            tools: paths.clone(),
            place,
        }
    }

    /// Longer, deeper, with a space in it, and with another `CARGO_HOME`.
    pub(super) fn second(paths: &Paths, place: &Path) -> Self {
        let place = place.join("b");
        Self {
            root: place.join("quite another place/further down/twist"),
            cache: place.join("the-cache-of-the-second-build"),
            cargo_home: Some(place.join("cargo-home")),
            tools: paths.clone(),
            place,
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn dist(&self) -> PathBuf {
        self.place.join("dist")
    }

    /// Clones `commit`, wherever the checkout has moved since it was named, and gives everything to `user`.
    pub(super) fn prepare(
        &self,
        paths: &Paths,
        commit: &str,
        user: Option<u32>,
    ) -> Result<(), CtlError> {
        for folder in [self.home(), self.temporary(), self.cache.clone()] {
            fs::create_dir_all(&folder).map_err(CtlError::io("make", &folder))?;
        }
        let mut clone = git(&paths.root);
        clone
            .args(["clone", "--quiet", "--no-hardlinks", "--no-checkout"])
            .arg(&paths.root)
            .arg(&self.root);
        let mut checkout = git(&self.root);
        checkout.args(["checkout", "--quiet", "--detach", commit]);
        for command in [clone, checkout] {
            let ended = watch(command, |_| {})?;
            if !ended.ok {
                return Err(CtlError::Tool {
                    what: format!("cloning {commit}"),
                    output: ended.output,
                });
            }
        }
        if let Some(own) = &self.cargo_home {
            seed(&cargo_home(), own)?;
        }
        match user {
            Some(user) => give(&self.place, user),
            None => Ok(()),
        }
    }

    /// Builds from nothing into [`Side::dist`].
    pub(super) fn build(
        &self,
        builder: &Path,
        conditions: &Conditions,
        toolchain: &Toolchain,
        line: impl FnMut(&str),
    ) -> Result<(), CtlError> {
        let out = self.dist().display().to_string();
        let mut command =
            conditions.command(&builder.display().to_string(), &["build", "--out", &out]);
        conditions.use_tools(&mut command, toolchain);
        command
            .current_dir(&self.root)
            .env("TWIST_ROOT", &self.root)
            .env("TWIST_CACHE_DIR", &self.cache)
            .env("TWIST_STATE_DIR", self.place.join("state"))
            .env("TWIST_NODE", tools::node(&self.tools)?)
            .env("TWIST_NODE_MODULES", self.tools.node_modules())
            .env("TMPDIR", self.temporary())
            .env_remove("CARGO_TARGET_DIR");
        if let Some(own) = &self.cargo_home {
            command.env("CARGO_HOME", own).env("HOME", self.home());
        }
        let ended = watch(command, line)?;
        if ended.ok {
            return Ok(());
        }
        Err(CtlError::Tool {
            what: format!("the build in {}", self.root.display()),
            output: ended.output,
        })
    }

    fn home(&self) -> PathBuf {
        self.place.join("home")
    }

    fn temporary(&self) -> PathBuf {
        self.place.join("tmp")
    }
}

/// A `CARGO_HOME` with the crates that are here already, so that nothing is downloaded twice.
pub(crate) fn seed(from: &Path, to: &Path) -> Result<(), CtlError> {
    fs::create_dir_all(to).map_err(CtlError::io("make", to))?;
    for part in ["registry/index", "registry/cache", "config.toml", "config"] {
        let source = from.join(part);
        if source.exists() {
            copy(&source, &to.join(part))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), CtlError> {
    if !from.is_dir() {
        return fs::copy(from, to)
            .map(drop)
            .map_err(CtlError::io("copy", from));
    }
    fs::create_dir_all(to).map_err(CtlError::io("make", to))?;
    for entry in fs::read_dir(from).map_err(CtlError::io("read", from))? {
        let entry = entry.map_err(CtlError::io("read", from))?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn give(path: &Path, user: u32) -> Result<(), CtlError> {
    lchown(path, Some(user), Some(user)).map_err(CtlError::io("give away", path))?;
    let kind = fs::symlink_metadata(path).map_err(CtlError::io("look at", path))?;
    if kind.is_dir() {
        for entry in fs::read_dir(path).map_err(CtlError::io("read", path))? {
            give(&entry.map_err(CtlError::io("read", path))?.path(), user)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::test as git;

    #[test]
    fn a_commit_made_between_the_two_clones_is_in_neither() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("checkout");
        fs::create_dir(&root).unwrap();
        git(&root, &["init", "-q"]);
        let commit = |text: &str| {
            fs::write(root.join("file"), text).unwrap();
            git(&root, &["add", "."]);
            git(&root, &["commit", "-q", "-m", text]);
            git(&root, &["rev-parse", "HEAD"])
        };
        let (named, _later) = (commit("named"), commit("later"));
        let paths = Paths {
            root,
            cache: folder.path().join("cache"),
            state: folder.path().join("state"),
        };
        let side = Side::first(&paths, folder.path());
        side.prepare(&paths, &named, None).unwrap();
        assert_eq!(
            fs::read_to_string(side.root().join("file")).unwrap(),
            "named"
        );
        assert_eq!(git(side.root(), &["rev-parse", "HEAD"]), named);
        assert_eq!(git(side.root(), &["status", "--porcelain"]), "");
    }
}
