//! `verify`.

use crate::CtlError;
use std::process::ExitCode;

/// Options of `verify`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Not there yet.
pub fn run(_args: &Args) -> Result<ExitCode, CtlError> {
    Err(CtlError::Help("verify is not there yet".into()))
}
