//! The folder that a build is put into: made beside its place, and moved there when it is whole.

use crate::CtlError;
use attest::{Builder, Manifest};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The manifest's name in a release folder.
pub(crate) const MANIFEST: &str = "release.json";

/// A build that is being put together.
#[derive(Debug)]
pub(crate) struct Staging {
    target: PathBuf,
    folder: PathBuf,
    _lock: File,
}

impl Staging {
    /// Prepares to replace `target`, which must not hold anything but an earlier build.
    pub(crate) fn begin(target: &Path) -> Result<Self, CtlError> {
        let target = std::path::absolute(target).map_err(CtlError::io("find", target))?;
        // What a link leads to is replaced, not the link.
        let target = fs::canonicalize(&target).unwrap_or(target);
        let parent = target.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(parent).map_err(CtlError::io("make", parent))?;
        // The folder itself, so that no file is left in a checkout.
        let lock = File::open(parent).map_err(CtlError::io("open", parent))?;
        lock.lock().map_err(CtlError::io("lock", parent))?;
        refuse_strangers(&target)?;
        let folder = beside(&target, ".new");
        remove(&folder)?;
        make(&folder)?;
        Ok(Self {
            target,
            folder,
            _lock: lock,
        })
    }

    /// Whether `target` may be replaced, for asking before hours of work.
    pub(crate) fn check(target: &Path) -> Result<(), CtlError> {
        refuse_strangers(target)
    }

    /// Where the files go meanwhile.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Copies a file to `place`, a relative path.
    pub(crate) fn add(&self, from: &Path, place: &str, executable: bool) -> Result<(), CtlError> {
        let to = self.prepare(place)?;
        fs::copy(from, &to).map_err(CtlError::io("copy", from))?;
        set_mode(&to, executable)
    }

    /// Writes a file to `place`, a relative path.
    pub(crate) fn write(&self, place: &str, bytes: &[u8]) -> Result<(), CtlError> {
        let to = self.prepare(place)?;
        fs::write(&to, bytes).map_err(CtlError::io("write", &to))?;
        set_mode(&to, false)
    }

    /// Puts it in its place.
    pub(crate) fn finish(self) -> Result<PathBuf, CtlError> {
        // It may have been filled while this build ran.
        refuse_strangers(&self.target)?;
        let old = beside(&self.target, ".old");
        remove(&old)?;
        if self.target.exists() {
            fs::rename(&self.target, &old).map_err(CtlError::io("move away", &self.target))?;
        }
        fs::rename(&self.folder, &self.target)
            .map_err(CtlError::io("put in place", &self.target))?;
        remove(&old)?;
        Ok(self.target.clone())
    }

    fn prepare(&self, place: &str) -> Result<PathBuf, CtlError> {
        let to = self.folder.join(place);
        let above: Vec<&Path> = to
            .ancestors()
            .skip(1)
            .take_while(|folder| *folder != self.folder)
            .collect();
        for folder in above.into_iter().rev() {
            make(folder)?;
        }
        Ok(to)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What was not finished is of no use; what cannot be removed is next time.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A hidden name beside it, on the same file system.
fn beside(target: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or("dist".as_ref()));
    name.push(".twist");
    name.push(suffix);
    target.with_file_name(name)
}

fn make(folder: &Path) -> Result<(), CtlError> {
    if !folder.is_dir() {
        fs::create_dir(folder).map_err(CtlError::io("make", folder))?;
        fs::set_permissions(folder, Permissions::from_mode(0o755))
            .map_err(CtlError::io("set the mode of", folder))?;
    }
    Ok(())
}

fn set_mode(file: &Path, executable: bool) -> Result<(), CtlError> {
    let mode = if executable { 0o755 } else { 0o644 };
    fs::set_permissions(file, Permissions::from_mode(mode))
        .map_err(CtlError::io("set the mode of", file))
}

fn remove(folder: &Path) -> Result<(), CtlError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(CtlError::io("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

/// Refuses a folder that holds more than a build made here: it would be lost.
fn refuse_strangers(target: &Path) -> Result<(), CtlError> {
    if !target.exists() {
        return Ok(());
    }
    let present = files(target)?;
    let Some(first) = present.first() else {
        return Ok(());
    };
    let refuse = |file: &Path, why: &str| {
        Err(CtlError::Help(format!(
            "{} is not replaced, because {} {why}; choose another folder with --out, or remove it",
            target.display(),
            file.display()
        )))
    };
    let Ok(bytes) = fs::read(target.join(MANIFEST)) else {
        return refuse(first, "is not of an earlier build");
    };
    let Ok(manifest) = Manifest::parse(&bytes) else {
        return refuse(
            Path::new(MANIFEST),
            "is no manifest that this version wrote",
        );
    };
    if manifest.draft().builder != Builder::Host {
        return refuse(Path::new(MANIFEST), "is that of a release built with Nix");
    }
    let ours = listed(&manifest);
    match present.iter().find(|file| !ours.contains(*file)) {
        Some(stranger) => refuse(stranger, "is not of an earlier build"),
        None => Ok(()),
    }
}

/// The files of a release folder that its manifest accounts for.
fn listed(manifest: &Manifest) -> BTreeSet<PathBuf> {
    let mut ours = BTreeSet::from([MANIFEST.into(), format!("{MANIFEST}.sig").into()]);
    for artifact in manifest.artifacts() {
        let folder = PathBuf::from(artifact.name.as_str());
        let inside = artifact
            .files
            .iter()
            .map(|entry| folder.join(entry.path().as_str()));
        ours.extend(inside);
    }
    ours
}

/// Everything below that is no folder, as relative paths in order.
pub(crate) fn files(top: &Path) -> Result<Vec<PathBuf>, CtlError> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let path = top.join(&folder);
        for entry in fs::read_dir(&path).map_err(CtlError::io("read", &path))? {
            let entry = entry.map_err(CtlError::io("read", &path))?;
            let relative = folder.join(entry.file_name());
            let kind = entry
                .file_type()
                .map_err(CtlError::io("look at", &entry.path()))?;
            if kind.is_dir() {
                folders.push(relative);
            } else {
                found.push(relative);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::sample;

    fn put_together(target: &Path) -> PathBuf {
        let staging = Staging::begin(target).unwrap();
        let program = target.with_file_name("program");
        fs::write(&program, "new").unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o640)).unwrap();
        staging
            .add(&program, "twistctl/bin/twistctl", true)
            .unwrap();
        staging.write(MANIFEST, b"{}").unwrap();
        staging.finish().unwrap()
    }

    fn refusal(target: &Path) -> String {
        Staging::begin(target).unwrap_err().to_string()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn modes_do_not_depend_on_the_source_or_the_umask() {
        let folder = tempfile::tempdir().unwrap();
        let dist = put_together(&folder.path().join("dist"));
        assert_eq!(mode(&dist), 0o755);
        assert_eq!(mode(&dist.join("twistctl/bin")), 0o755);
        assert_eq!(mode(&dist.join("twistctl/bin/twistctl")), 0o755);
        assert_eq!(mode(&dist.join(MANIFEST)), 0o644);
    }

    #[test]
    fn an_earlier_build_is_replaced_as_a_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("dist");
        sample::dist(&target, Builder::Host);
        let dist = put_together(&target);
        let names: Vec<PathBuf> = files(&dist).unwrap();
        assert_eq!(
            names,
            [Path::new(MANIFEST), Path::new("twistctl/bin/twistctl")]
        );
        fs::remove_file(folder.path().join("program")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn somebody_elses_file_is_named_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("dist");
        sample::dist(&target, Builder::Host);
        fs::write(target.join("twistctl/notes.txt"), "mine").unwrap();
        let text = refusal(&target);
        assert!(text.contains("twistctl/notes.txt"), "{text}");
        assert_eq!(
            fs::read(target.join("twistctl/notes.txt")).unwrap(),
            b"mine"
        );

        let other = folder.path().join("photos");
        fs::create_dir(&other).unwrap();
        fs::write(other.join("a.jpg"), "x").unwrap();
        assert!(refusal(&other).contains("a.jpg"));
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        Staging::begin(&file).unwrap_err();
        assert_eq!(fs::read(&file).unwrap(), b"x");
    }

    #[test]
    fn a_release_of_nix_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("dist");
        sample::dist(&target, Builder::Nix);
        assert!(refusal(&target).contains("built with Nix"));
    }

    #[test]
    fn a_build_that_fails_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("dist");
        sample::dist(&target, Builder::Host);
        let before = files(&target).unwrap();
        let staging = Staging::begin(&target).unwrap();
        staging.write("sbom/x", b"half").unwrap();
        drop(staging);
        assert_eq!(files(&target).unwrap(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
