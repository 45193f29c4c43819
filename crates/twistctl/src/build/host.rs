//! The programs of this machine.

use crate::run::watch;
use crate::ui::Step;
use crate::{CtlError, Paths, tools};
use std::path::PathBuf;

pub(crate) struct Host {
    pub(crate) auth: PathBuf,
    pub(crate) api: PathBuf,
    pub(crate) settlement: PathBuf,
    pub(crate) migrate: PathBuf,
    pub(crate) bundler: PathBuf,
}

/// Builds every program of the workspace at once: the same features as the tests have, so that
/// dependencies are compiled once for both.
pub(crate) fn build(paths: &Paths, step: &Step) -> Result<Host, CtlError> {
    let mut command = tools::cargo(paths);
    command.args(["build", "--locked", "--bins"]);
    let ended = watch(command, |line| step.detail(line))?;
    if !ended.ok {
        return Err(CtlError::Tool {
            what: "building the services".into(),
            output: ended.output,
        });
    }
    let program = |name: &str| paths.target().join("debug").join(name);
    Ok(Host {
        auth: program("auth-service"),
        api: program("influencer-api"),
        settlement: program("settlement-worker"),
        migrate: program("twist-migrate"),
        bundler: program("edge-bundler"),
    })
}
