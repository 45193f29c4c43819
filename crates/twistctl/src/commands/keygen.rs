//! `keygen`.

use crate::CtlError;

/// Options of `keygen`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Not there yet.
pub fn run(_args: &Args) -> Result<bool, CtlError> {
    Err(CtlError::Help("keygen is not there yet".into()))
}
