//! Picks a mode: `serve` (the default) or `check-config`.

use auth_service::{Config, StartError};
use clap::{Parser, Subcommand};
use service::server::{self, shutdown_signal};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Wallet sign-in for TWIST. Configured by `TWIST_AUTH__…` variables and, if given, a TOML file.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// A TOML file; environment variables win over it.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Subcommand)]
enum Mode {
    /// Serve requests until SIGTERM.
    Serve,
    /// Say whether the configuration is complete and valid, without starting.
    CheckConfig,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = match Config::load(arguments.config.as_deref()) {
        Ok(config) => config,
        Err(error) => return fail(&error),
    };
    match arguments.mode.unwrap_or(Mode::Serve) {
        Mode::CheckConfig => {
            let _ = writeln!(std::io::stdout(), "the configuration is valid");
            ExitCode::SUCCESS
        }
        Mode::Serve => match serve(&config).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        },
    }
}

async fn serve(config: &Config) -> Result<(), StartError> {
    telemetry::init("auth-service");
    let (app, limits) = auth_service::prepare(config).await?;
    Ok(server::serve(app, limits, shutdown_signal()).await?)
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "auth-service: {error}");
    ExitCode::FAILURE
}
