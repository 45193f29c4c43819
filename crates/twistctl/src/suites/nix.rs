//! The flake: its syntax on every machine, its evaluation where Nix is.

use crate::suites::{Done, Tally, one_check};
use crate::ui::Step;
use crate::{CtlError, Paths, tools};
use std::fs;
use std::path::{Path, PathBuf};

pub(super) fn syntax(paths: &Paths) -> Done {
    let mut tally = Tally::default();
    let mut output = Vec::new();
    for file in files(&paths.root)? {
        if file.extension().is_none_or(|ext| ext != "nix") {
            continue;
        }
        let text = fs::read_to_string(&file).map_err(CtlError::io("read", &file))?;
        let errors = rnix::Root::parse(&text).errors().to_vec();
        tally = tally.plus(Tally::of(errors.is_empty()));
        for error in errors {
            output.push(format!("{}: {error}", file.display()));
        }
    }
    Ok((tally.checked(true), output.join("\n")))
}

/// `TWIST_NIXPKGS` names a local nixpkgs to evaluate with, for machines without a network.
pub(super) fn flake(paths: &Paths, step: &Step) -> Done {
    if stack::binaries::on_path("nix").is_none() {
        return Err(CtlError::Help(
            "nix is not installed; see https://nixos.org/download".into(),
        ));
    }
    let command = tools::nix(paths, &["flake", "check", "--no-build"]);
    one_check(command, step)
}

/// Every file of the repository that is not build output or hidden, but for `.ci` and `.github`.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, CtlError> {
    const SKIPPED: [&str; 4] = ["target", "node_modules", "dist", "result"];
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)
        .map_err(CtlError::io("read", folder))?
        .flatten()
    {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let hidden = name.starts_with('.') && name != ".ci" && name != ".github";
        if hidden || SKIPPED.contains(&name.as_ref()) {
            continue;
        }
        let kind = entry.file_type().map_err(CtlError::io("look at", &path))?;
        if kind.is_dir() {
            found.extend(files(&path)?);
        } else if kind.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
