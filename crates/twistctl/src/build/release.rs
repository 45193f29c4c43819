//! The programs of this machine as they are released.

use crate::build::environment;
use crate::build::remap::{Remap, use_rustc};
use crate::run::watch;
use crate::ui::Step;
use crate::{CtlError, Paths, tools};
use attest::Kind;
use std::path::PathBuf;

/// A program: the crate that it is compiled from, and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) package: &'static str,
    pub(crate) binary: &'static str,
    pub(crate) kind: Kind,
}

/// Every program that runs on a host. The flake has the same list.
pub(crate) const PROGRAMS: [Program; 5] = [
    Program::new("auth-service", "auth-service", Kind::Service),
    Program::new("influencer-api", "influencer-api", Kind::Service),
    Program::new("settlement-worker", "settlement-worker", Kind::Service),
    Program::new("migrations", "twist-migrate", Kind::Tool),
    Program::new("twistctl", "twistctl", Kind::Tool),
];

impl Program {
    const fn new(package: &'static str, binary: &'static str, kind: Kind) -> Self {
        Self {
            package,
            binary,
            kind,
        }
    }
}

/// Compiles one of them; returns the file.
///
/// By itself: cargo gives a dependency the features of every package it was asked for, so a program that is
/// built together with others changes with them. By itself it also is what the flake compiles.
pub(crate) fn compile(paths: &Paths, program: Program, step: &Step) -> Result<PathBuf, CtlError> {
    let target = paths.target_release();
    let mut command = tools::cargo(paths);
    command.env("CARGO_TARGET_DIR", &target);
    Remap::new(paths, &target).apply(&mut command);
    command.args(["build", "--release", "--locked"]);
    command.args(["-p", program.package, "--bin", program.binary]);
    let ended = watch(command, |line| step.detail(line))?;
    if !ended.ok {
        return Err(CtlError::Tool {
            what: format!("compiling {}", program.binary),
            output: ended.output,
        });
    }
    Ok(target.join("release").join(program.binary))
}

/// The bundler. A tool, not an artifact: it is built as for tests, and its profile does not show in a bundle.
/// What it does with a bundle must not depend on the person's environment either.
pub(crate) fn bundler(paths: &Paths, step: &Step) -> Result<PathBuf, CtlError> {
    let mut command = tools::cargo(paths);
    use_rustc(&mut command);
    environment::clean(&mut command);
    command.args(["build", "--locked", "--bin", "edge-bundler"]);
    let ended = watch(command, |line| step.detail(line))?;
    if !ended.ok {
        return Err(CtlError::Tool {
            what: "building the bundler".into(),
            output: ended.output,
        });
    }
    Ok(paths.target().join("debug/edge-bundler"))
}
