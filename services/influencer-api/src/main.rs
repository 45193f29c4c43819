//! `influencer-api`: picks a mode.

use clap::{Parser, Subcommand};
use influencer_api::{AppState, Config};
use service::probe;
use service::server::{ServerConfig, serve, shutdown_signal};
use service::version::Revision;
use std::io::Write as _;
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

#[derive(Subcommand, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Serves until asked to stop (the default).
    Serve,
    /// Brings the database to the schema of this build, then stops. Logs in as `database.url` says,
    /// which must be the owner of the tables.
    Migrate,
    /// Asks the instance of this configuration on this machine whether it is ready; exits 1 if not.
    Probe,
    /// Reads the configuration, says what is wrong with it, and stops.
    CheckConfig,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let mode = cli.mode.unwrap_or(Mode::Serve);
    // A probe talks to whoever looks at the container, not to the log.
    let quiet = mode == Mode::Probe;
    if !quiet {
        telemetry::init("influencer-api");
    }
    match run(&cli, mode).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if quiet => {
            let _ = writeln!(std::io::stderr(), "influencer-api: {error}");
            ExitCode::FAILURE
        }
        Err(error) => {
            tracing::error!(%error, "stopped");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli, mode: Mode) -> Result<(), Box<dyn std::error::Error>> {
    let config: Config = service::config::load("TWIST_API_", cli.config.as_deref())?;
    let revision = Revision::from_environment()?;
    match mode {
        Mode::Probe => probe::ready(config.listen).await?,
        Mode::CheckConfig => tracing::info!("the configuration is complete"),
        Mode::Migrate => {
            use secrecy::ExposeSecret;
            let applied = migrations::up(config.database.url.expose_secret()).await?;
            tracing::info!(?applied, "schema is up to date");
        }
        Mode::Serve => {
            let state = AppState::new(&config).await?;
            let app = influencer_api::app(&state, revision);
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
