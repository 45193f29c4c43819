//! `build`.

use crate::{CtlError, Paths, build, ui};

/// Options of `build`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Builds everything.
pub fn run(paths: &Paths, _args: &Args) -> Result<bool, CtlError> {
    let artifacts = build::build(paths)?;
    for file in [&artifacts.auth, &artifacts.api, &artifacts.migrate] {
        ui::say(&file.display().to_string());
    }
    ui::say(&artifacts.bundle.display().to_string());
    Ok(true)
}
