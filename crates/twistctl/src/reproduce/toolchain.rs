//! The compiler for both builds.

use crate::run::ask_in;
use crate::{CtlError, Paths};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where cargo and rustc are.
#[derive(Debug)]
pub(super) struct Toolchain {
    programs: PathBuf,
    /// A rustc that is not told the wrong time.
    spared: PathBuf,
    trial: PathBuf,
}

impl Toolchain {
    /// The one of the checkout; `place` gets the stand-in for rustc.
    pub(super) fn find(paths: &Paths, place: &Path) -> Result<Self, CtlError> {
        let sysroot = ask_in(&paths.root, "rustc", &["--print", "sysroot"]);
        let programs = sysroot
            .map(|root| Path::new(&root).join("bin"))
            .ok_or_else(|| CtlError::Help("rustc was not found; run ./twist".into()))?;
        let spared = place.join("tools");
        fs::create_dir_all(&spared).map_err(CtlError::io("make", &spared))?;
        let stand_in = spared.join("rustc");
        let real = programs.join("rustc");
        let script = format!(
            "#!/bin/sh\nunset LD_PRELOAD\nexec '{}' \"$@\"\n",
            real.display()
        );
        fs::write(&stand_in, script).map_err(CtlError::io("write", &stand_in))?;
        fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o755))
            .map_err(CtlError::io("set the mode of", &stand_in))?;
        let trial = place.join("tools/trial.rs");
        fs::write(&trial, "fn main() {}\n").map_err(CtlError::io("write", &trial))?;
        Ok(Self {
            programs,
            spared,
            trial,
        })
    }

    /// A program that does nothing.
    pub(super) fn trial(&self) -> &Path {
        &self.trial
    }

    /// `PATH` with the compiler first: rustup's stand-ins would look for it in the other user's home.
    pub(super) fn path(&self, spare: bool) -> OsString {
        let path = env::var_os("PATH").unwrap_or_default();
        let spared = spare.then(|| self.spared.clone());
        // Without cargo in it, the toolchain is not of one piece: then PATH has it.
        let programs = Some(self.programs.clone()).filter(|folder| folder.join("cargo").is_file());
        let first = spared.into_iter().chain(programs);
        env::join_paths(first.chain(env::split_paths(&path))).unwrap_or(path)
    }
}
