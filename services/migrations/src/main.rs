//! `twist-migrate`: brings a database to the schema of this build.

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Brings a database to the schema of this build.
#[derive(Parser)]
#[command(name = "twist-migrate", version)]
struct Cli {
    /// URL of the database, logging in as the owner of its tables.
    #[arg(long, env = "TWIST_MIGRATE__DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// A file that holds the URL.
    #[arg(
        long,
        env = "TWIST_MIGRATE__DATABASE_URL_FILE",
        conflicts_with = "database_url"
    )]
    database_url_file: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs what is missing, then stops.
    Up,
    /// Says what is missing; exits 1 if anything is.
    Status,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("give --database-url or --database-url-file")]
    NoUrl,
    #[error("cannot read {0}: {1}")]
    UrlFile(PathBuf, std::io::Error),
    #[error(transparent)]
    Database(#[from] sea_orm_migration::DbErr),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init("twist-migrate");
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            tracing::error!(%error, "migration failed");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode, Error> {
    let url = match (cli.database_url, cli.database_url_file) {
        (Some(url), _) => url,
        (None, Some(file)) => match std::fs::read_to_string(&file) {
            Ok(text) => text.trim().to_owned(),
            Err(error) => return Err(Error::UrlFile(file, error)),
        },
        (None, None) => return Err(Error::NoUrl),
    };
    match cli.command {
        Command::Up => {
            let applied = migrations::up(&url).await?;
            tracing::info!(?applied, "schema is up to date");
            Ok(ExitCode::SUCCESS)
        }
        Command::Status => {
            let pending = migrations::pending(&migrations::connect(&url).await?).await?;
            tracing::info!(?pending, "schema status");
            Ok(ExitCode::from(u8::from(!pending.is_empty())))
        }
    }
}
