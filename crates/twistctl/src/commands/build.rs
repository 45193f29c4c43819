//! `build`.

use crate::{CtlError, Paths, build, ui};

/// Builds everything.
pub fn run(paths: &Paths) -> Result<bool, CtlError> {
    let artifacts = build::build(paths)?;
    for file in [&artifacts.auth, &artifacts.api, &artifacts.migrate] {
        ui::say(&file.display().to_string());
    }
    ui::say(&artifacts.bundle.display().to_string());
    Ok(true)
}
