//! Picks a mode: `serve` (the default), `probe`, `check-config` or `keys`.

use auth_service::{Config, KeysCommand, StartError};
use clap::{Parser, Subcommand};
use service::probe;
use service::server::{self, shutdown_signal};
use service::version::Revision;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Wallet sign-in for TWIST. Configured by a TOML file if given, credential files, and `TWIST_AUTH__…` variables.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// A TOML file; credentials and environment variables win over it.
    #[arg(long, global = true, env = "TWIST_AUTH_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Subcommand)]
enum Mode {
    /// Serve requests until SIGTERM.
    Serve,
    /// Ask the instance of this configuration on this machine whether it is ready; exit 1 if not.
    Probe,
    /// Say everything that is wrong with the configuration, a line each, without starting; exit 1 if anything is.
    CheckConfig,
    /// Lists and rotates the keys that sign access tokens.
    #[command(subcommand)]
    Keys(KeysCommand),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = Config::load(arguments.config.as_deref())
        .and_then(|config| Ok((config, Revision::from_environment()?)));
    let (config, revision) = match settings {
        Ok(settings) => settings,
        Err(error) => return fail(&error),
    };
    match arguments.mode.unwrap_or(Mode::Serve) {
        Mode::CheckConfig => {
            let _ = writeln!(std::io::stdout(), "the configuration is valid");
            ExitCode::SUCCESS
        }
        Mode::Keys(command) => match auth_service::run_keys(&config, &command).await {
            Ok(text) => {
                let _ = std::io::stdout().write_all(text.as_bytes());
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error),
        },
        Mode::Probe => match probe::ready(config.listen).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        },
        Mode::Serve => match serve(&config, revision).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        },
    }
}

async fn serve(config: &Config, revision: Option<Revision>) -> Result<(), StartError> {
    telemetry::init("auth-service");
    let (app, limits) = auth_service::prepare(config, revision).await?;
    Ok(server::serve(app, limits, shutdown_signal()).await?)
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    for line in error.to_string().lines() {
        let _ = writeln!(std::io::stderr(), "auth-service: {line}");
    }
    ExitCode::FAILURE
}
