//! Picks a mode: `serve` (the default) or `check-config`.

use auth_service::Config;
use clap::{Parser, Subcommand};
use service::server::shutdown_signal;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Wallet sign-in for TWIST. Configured by TWIST_AUTH__… variables and, if given, a TOML file.
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
        Mode::Serve => serve(&config).await,
    }
}

async fn serve(config: &Config) -> ExitCode {
    telemetry::init("auth-service");
    match auth_service::start(config).await {
        Ok(running) => {
            shutdown_signal().await;
            tracing::info!("stopping");
            running.stop().await;
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "auth-service: {error}");
    ExitCode::FAILURE
}
