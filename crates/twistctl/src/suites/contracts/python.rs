//! Python packages, each at one version and by its hash, in the per-user cache.

use crate::run::{ask, watch};
use crate::ui::Step;
use crate::{CtlError, Paths};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python that has the packages.
pub(super) struct Python {
    program: PathBuf,
    /// Where the packages are, if they are not the interpreter's own.
    packages: Option<PathBuf>,
}

impl Python {
    /// Runs a module as a program.
    pub(super) fn command(&self, module: &str) -> Command {
        let mut command = self.plain();
        command.args(["-m", module]);
        command
    }

    /// Runs a file.
    pub(super) fn script(&self, file: &Path) -> Command {
        let mut command = self.plain();
        command.arg(file);
        command
    }

    fn plain(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_remove("PYTHONHOME")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        match &self.packages {
            Some(folder) => command.env("PYTHONPATH", folder),
            None => command.env_remove("PYTHONPATH"),
        };
        // The environment's proxy cannot reach this machine's loopback address.
        command
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1");
        command
    }
}

/// The packages of `requirements`, installed when they are not those of the last time.
pub(super) fn environment(
    paths: &Paths,
    requirements: &Path,
    step: &Step,
) -> Result<Python, CtlError> {
    let folder = paths.cache.join("python");
    let installed = folder.join("installed-requirements.txt");
    let wanted = fs::read(requirements).map_err(CtlError::io("read", requirements))?;
    if fs::read(&installed).is_ok_and(|there| there == wanted) {
        return Ok(found(&folder));
    }
    let python = stack::binaries::on_path("python3").ok_or_else(|| {
        CtlError::Help(
            "python3 is not installed; install the packages python3 and python3-venv".into(),
        )
    })?;
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(CtlError::io("remove", &folder))?;
    }
    fs::create_dir_all(&folder).map_err(CtlError::io("make", &folder))?;
    step.detail("making a Python environment");
    let mut venv = Command::new(&python);
    venv.args(["-m", "venv"]).arg(&folder);
    let mut pip = if watch(venv, |_| {})?.ok {
        let mut pip = Command::new(own(&folder));
        pip.args(["-m", "pip", "install"]);
        pip
    } else if ask(&python, &["-m", "pip", "--version"]).is_some() {
        // Debian splits the standard library: without python3-venv there may still be a pip.
        fs::remove_dir_all(folder.join("bin")).ok();
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--target"])
            .arg(folder.join("packages"));
        pip
    } else {
        return Err(CtlError::Help(
            "python3 has neither venv nor pip; install the package python3-venv".into(),
        ));
    };
    pip.args(["--quiet", "--disable-pip-version-check", "--require-hashes"])
        .args(["--only-binary", ":all:", "--requirement"])
        .arg(requirements);
    step.detail("installing the Python packages of tests/contracts/requirements.txt");
    let ended = watch(pip, |line| step.detail(line))?;
    if !ended.ok {
        return Err(CtlError::Tool {
            what: "pip".into(),
            output: ended.output,
        });
    }
    fs::write(&installed, wanted).map_err(CtlError::io("write", &installed))?;
    Ok(found(&folder))
}

fn found(folder: &Path) -> Python {
    let own = own(folder);
    if own.exists() {
        return Python {
            program: own,
            packages: None,
        };
    }
    Python {
        program: PathBuf::from("python3"),
        packages: Some(folder.join("packages")),
    }
}

fn own(folder: &Path) -> PathBuf {
    folder.join("bin/python")
}
