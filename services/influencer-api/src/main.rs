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
    /// A TOML file; credentials and variables `TWIST_API__…` win over it.
    #[arg(long, global = true, env = "TWIST_API_CONFIG")]
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
    /// Says everything that is wrong with the configuration, a line each, without starting; exits 1 if anything is.
    CheckConfig,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in error.to_string().lines() {
                let _ = writeln!(std::io::stderr(), "influencer-api: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::load(cli.config.as_deref())?;
    let revision = Revision::from_environment()?;
    let mode = cli.mode.unwrap_or(Mode::Serve);
    // The others talk to whoever runs them, not to the log.
    if matches!(mode, Mode::Serve | Mode::Migrate) {
        telemetry::init("influencer-api");
    }
    match mode {
        Mode::Probe => probe::ready(config.listen).await?,
        Mode::CheckConfig => writeln!(std::io::stdout(), "the configuration is valid")?,
        Mode::Migrate => {
            use secrecy::ExposeSecret;
            let applied = migrations::up(config.database.url.expose_secret()).await?;
            tracing::info!(?applied, "schema is up to date");
        }
        Mode::Serve => {
            let state = AppState::new(&config).await?;
            let app = influencer_api::app(&state, revision);
            let server = ServerConfig {
                listen: config.listeners(),
                http: config.http,
            };
            serve(app, server, shutdown_signal()).await?;
        }
    }
    Ok(())
}
