//! `ledger check`.

use crate::platform::{Secrets, owner_url};
use crate::{CtlError, Paths, commands, ui};
use sea_orm::{ConnectOptions, Database};

/// What can be done with the ledger.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Checks the invariants of the double-entry ledger, each with what breaks it.
    Check {
        /// Another database than the local platform's.
        #[arg(long, env = "TWIST_LEDGER_DATABASE_URL", hide_env_values = true)]
        database_url: Option<String>,
    },
}

/// Does it. Succeeds when every invariant holds.
pub fn run(paths: &Paths, command: &Command) -> Result<bool, CtlError> {
    let Command::Check { database_url } = command;
    let url = if let Some(url) = database_url {
        url.clone()
    } else {
        let record = commands::running(paths)?;
        owner_url(&record.ports, &Secrets::load_or_make(paths)?)
    };
    let findings = commands::runtime()?.block_on(async {
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        let db = Database::connect(options).await?;
        ledger::check::run(&db).await
    })?;
    for finding in &findings {
        let mark = if finding.holds() { "✓" } else { "✗" };
        ui::say(&format!(
            "  {mark} {:<4} {}",
            finding.invariant.id, finding.invariant.title
        ));
        for broken in &finding.broken_by {
            ui::say(&format!("         {broken}"));
        }
    }
    Ok(findings.iter().all(ledger::check::Finding::holds))
}
