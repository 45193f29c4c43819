//! `manifest`.

use crate::CtlError;

/// Options of `manifest`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Not there yet.
pub fn run(_args: &Args) -> Result<bool, CtlError> {
    Err(CtlError::Help("manifest is not there yet".into()))
}
