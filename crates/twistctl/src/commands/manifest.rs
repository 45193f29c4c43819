//! `manifest`.

use crate::artifact::assemble::{self, Input};
use crate::{CtlError, ui};
use std::fs;
use std::path::PathBuf;

/// Options of `manifest`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// JSON with a member `plan` (what was built) and, with Nix, `closure` (what it needs).
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// Where the manifest goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Reads every artifact of the plan and writes the manifest.
pub fn run(args: &Args) -> Result<bool, CtlError> {
    let text = fs::read(&args.plan).map_err(CtlError::io("read", &args.plan))?;
    let input: Input = serde_json::from_slice(&text)
        .map_err(|error| CtlError::Help(format!("{}: {error}", args.plan.display())))?;
    let manifest = assemble::assemble(input)?;
    assemble::write(&manifest, &args.out)?;
    ui::note(&format!(
        "{}: {} artifacts, root {}",
        args.out.display(),
        manifest.artifacts().len(),
        manifest.merkle_root()
    ));
    Ok(true)
}
