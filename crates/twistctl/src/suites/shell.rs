//! shellcheck over every script of the repository.

use crate::run::watch;
use crate::suites::{Done, Tally};
use crate::ui::Step;
use crate::{CtlError, Paths};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

pub(super) fn check(paths: &Paths, step: &Step) -> Done {
    let program = stack::binaries::on_path("shellcheck").ok_or_else(|| {
        CtlError::Help("shellcheck is not installed; install the package shellcheck".into())
    })?;
    let mut tally = Tally::default();
    let mut output = String::new();
    for script in scripts(paths)? {
        step.detail(&script.display().to_string());
        let mut command = Command::new(&program);
        command.arg(&script).current_dir(&paths.root);
        let ended = watch(command, |_| {})?;
        tally = tally.plus(Tally::of(ended.ok));
        output.push_str(&ended.output);
    }
    Ok((tally.checked(true), output))
}

/// Every file below the root that is a shell script by its name or its first line.
fn scripts(paths: &Paths) -> Result<Vec<PathBuf>, CtlError> {
    let is_script = |path: &PathBuf| {
        path.extension().is_some_and(|ext| ext == "sh")
            || path.extension().is_none()
                && fs::read(path).is_ok_and(|bytes| {
                    bytes.starts_with(b"#!/bin/sh") || bytes.starts_with(b"#!/usr/bin/env bash")
                })
    };
    let mut found = super::nix::files(&paths.root)?;
    found.retain(is_script);
    Ok(found)
}
