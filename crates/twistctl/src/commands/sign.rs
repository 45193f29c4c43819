//! `sign`.

use crate::CtlError;

/// Options of `sign`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Not there yet.
pub fn run(_args: &Args) -> Result<bool, CtlError> {
    Err(CtlError::Help("sign is not there yet".into()))
}
