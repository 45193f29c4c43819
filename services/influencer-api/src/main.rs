//! `influencer-api`: picks a mode.

use clap::{Parser, Subcommand};
use influencer_api::{AppState, Config};
use service::server::{ServerConfig, serve, shutdown_signal};
use std::path::PathBuf;
use std::process::ExitCode;

/// A user's account, devices and rewards; ingest of the VAUs that the edge accepted.
#[derive(Parser)]
#[command(name = "influencer-api", version)]
struct Cli {
    /// TOML file; variables `TWIST_API__…` win over it.
    #[arg(long, env = "TWIST_API_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Subcommand, Clone, Copy)]
enum Mode {
    /// Serves until asked to stop (the default).
    Serve,
    /// Brings the database to the schema of this build, then stops. Logs in as `database.url` says,
    /// which must be the owner of the tables.
    Migrate,
    /// Reads the configuration, says what is wrong with it, and stops.
    CheckConfig,
}

#[tokio::main]
async fn main() -> ExitCode {
    telemetry::init("influencer-api");
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "stopped");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<(), Box<dyn std::error::Error>> {
    let config: Config = service::config::load("TWIST_API_", cli.config.as_deref())?;
    match cli.mode.unwrap_or(Mode::Serve) {
        Mode::CheckConfig => tracing::info!("the configuration is complete"),
        Mode::Migrate => {
            use secrecy::ExposeSecret;
            let applied = migrations::up(config.database.url.expose_secret()).await?;
            tracing::info!(?applied, "schema is up to date");
        }
        Mode::Serve => {
            let state = AppState::new(&config).await?;
            let app = influencer_api::app(&state);
            serve(
                app,
                ServerConfig::new(config.listeners()),
                shutdown_signal(),
            )
            .await?;
        }
    }
    Ok(())
}
