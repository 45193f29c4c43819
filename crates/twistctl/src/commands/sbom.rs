//! `sbom`.

use crate::CtlError;

/// Options of `sbom`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Not there yet.
pub fn run(_args: &Args) -> Result<bool, CtlError> {
    Err(CtlError::Help("sbom is not there yet".into()))
}
