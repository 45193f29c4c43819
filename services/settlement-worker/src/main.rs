//! `settlement-worker`: picks a mode.

use clap::{Parser, Subcommand};
use service::probe;
use service::server::{ServerConfig, shutdown_signal, start};
use service::version::Revision;
use settlement_worker::{AppState, Config, Crew};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Publishes events, seals the ledger, does the jobs of the platform.
#[derive(Parser)]
#[command(name = "settlement-worker", version)]
struct Cli {
    /// A TOML file; credentials and variables `TWIST_SETTLEMENT__…` win over it.
    #[arg(long, global = true, env = "TWIST_SETTLEMENT_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Subcommand, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Works until asked to stop (the default).
    Serve,
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
                let _ = writeln!(std::io::stderr(), "settlement-worker: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::load(cli.config.as_deref())?;
    let revision = Revision::from_environment()?;
    match cli.mode.unwrap_or(Mode::Serve) {
        // These talk to whoever runs them, not to the log.
        Mode::Probe => probe::ready(config.listen).await?,
        Mode::CheckConfig => writeln!(std::io::stdout(), "the configuration is valid")?,
        Mode::Serve => serve(config, revision).await?,
    }
    Ok(())
}

async fn serve(
    config: Config,
    revision: Option<Revision>,
) -> Result<(), Box<dyn std::error::Error>> {
    telemetry::init("settlement-worker");
    let server = ServerConfig {
        listen: config.listeners(),
        http: config.http.clone(),
    };
    let grace = config.stop_grace();
    let state = AppState::new(config).await?;
    let running = start(settlement_worker::app(&state, revision), server).await?;
    let crew = Crew::start(settlement_worker::tasks(&state));
    shutdown_signal().await;
    tracing::info!("stopping");
    tokio::join!(running.stop(), crew.stop(grace));
    tracing::info!("stopped");
    Ok(())
}
