//! `budgets`.

use crate::CtlError;

/// Options of `budgets`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Not there yet.
pub fn run(_args: &Args) -> Result<bool, CtlError> {
    Err(CtlError::Help("budgets is not there yet".into()))
}
