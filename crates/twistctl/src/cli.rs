//! What can be typed.

use crate::commands::{build, doctor, down, ledger, smoke, status, test, up};
use crate::{CtlError, Paths, ui};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Builds, runs and tests TWIST on this machine.
#[derive(Debug, Parser)]
#[command(name = "twist", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Builds everything, starts the platform, proves that it works, and stops it on Ctrl-C.
    Up(up::Args),
    /// Stops what `up` started.
    Down,
    /// Shows where the platform's parts answer and whether they are ready.
    Status(status::Args),
    /// Walks the journeys of a user against a running platform.
    Smoke(smoke::Args),
    /// Runs the test suites.
    Test(test::Args),
    /// Builds the services and the Worker bundle.
    Build,
    /// Looks whether this machine has what is needed, and says what to type if not.
    Doctor,
    /// The ledger of the running local platform.
    #[command(subcommand)]
    Ledger(ledger::Command),
}

impl Cli {
    /// Does it. The exit code is 0 when it worked, 1 when it did not.
    pub fn run(self) -> ExitCode {
        match self.dispatch() {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                ui::complain(&error.to_string());
                ExitCode::FAILURE
            }
        }
    }

    /// `Ok(false)`: it ran, and what it found is bad; it has said so.
    fn dispatch(self) -> Result<bool, CtlError> {
        let paths = Paths::discover()?;
        match self.command {
            Command::Up(args) => up::run(&paths, &args),
            Command::Down => down::run(&paths),
            Command::Status(args) => status::run(&paths, &args),
            Command::Smoke(args) => smoke::run(&paths, &args),
            Command::Test(args) => test::run(&paths, &args),
            Command::Build => build::run(&paths),
            Command::Doctor => Ok(doctor::run(&paths)),
            Command::Ledger(command) => ledger::run(&paths, &command),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn no_option_contradicts_another() {
        Cli::command().debug_assert();
    }
}
