//! `budgets`.

use crate::budgets::{Budgets, Line, check};
use crate::{CtlError, Paths, ui};
use std::path::PathBuf;

/// Options of `budgets`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The release folder.
    #[arg(long, value_name = "DIR")]
    dist: PathBuf,
    /// The budgets; by default `budgets.toml` of the checkout.
    #[arg(long, value_name = "FILE")]
    budgets: Option<PathBuf>,
    /// The table as JSON.
    #[arg(long)]
    json: bool,
}

/// Shows every figure beside its budget. Succeeds when all are kept.
pub fn run(args: &Args) -> Result<bool, CtlError> {
    let file = match &args.budgets {
        Some(file) => file.clone(),
        None => Paths::discover()?.root.join("budgets.toml"),
    };
    let table = check(&args.dist, &Budgets::read(&file)?)?;
    if args.json {
        let text = serde_json::to_string_pretty(&table)
            .map_err(|error| CtlError::Help(error.to_string()))?;
        ui::say(&text);
        return Ok(table.is_kept());
    }
    for line in &table.lines {
        ui::say(&line.text());
    }
    for line in table.lines.iter().filter(|line| !line.is_kept()) {
        ui::complain(&Line::text(line));
    }
    Ok(table.is_kept())
}
