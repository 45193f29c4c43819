//! `build`.

use crate::build::{Profile, make};
use crate::{CtlError, Paths, ui};
use std::path::PathBuf;

/// Options of `build`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder for the artifacts and their manifest; by default `dist` in the checkout. It is replaced if
    /// it holds an earlier build, and refused if it holds anything else.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The programs as `up` and the tests compile them: quick, but neither small nor reproducible.
    #[arg(long)]
    dev: bool,
}

/// Builds everything.
pub fn run(paths: &Paths, args: &Args) -> Result<bool, CtlError> {
    let profile = if args.dev {
        Profile::Dev
    } else {
        Profile::Release
    };
    let out = args.out.clone().unwrap_or_else(|| paths.root.join("dist"));
    let dist = make(paths, &out, profile)?;
    ui::say(&dist.display().to_string());
    Ok(true)
}
