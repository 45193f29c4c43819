//! What can be typed.

use crate::commands::{
    audit, budgets, build, dlq, doctor, down, edge, keygen, keys, ledger, manifest, sbom, sign,
    smoke, status, test, up, verify,
};
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
    /// Builds every artifact that needs no Nix into a folder, with a manifest of their hashes.
    Build(build::Args),
    /// Compares artifacts, images and running services with a release manifest.
    Verify(verify::Args),
    /// Signs a release manifest.
    Sign(sign::Args),
    /// Makes a key to sign manifests with.
    Keygen(keygen::Args),
    /// Compares sizes with the committed budgets.
    Budgets(budgets::Args),
    /// Writes the manifest of built artifacts; the flake and `build` call it.
    #[command(hide = true)]
    Manifest(manifest::Args),
    /// Writes the software bill of materials; the flake and `build` call it.
    #[command(hide = true)]
    Sbom(sbom::Args),
    /// Looks whether this machine has what is needed, and says what to type if not.
    Doctor,
    /// The keys that sign access tokens: lists and rotates them.
    Keys(keys::Args),
    /// The ledger of the running local platform.
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// The audit log of the edge.
    #[command(subcommand)]
    Audit(audit::Command),
    /// What runs at Cloudflare: publishes it, looks at it, and brings back what was not delivered.
    #[command(subcommand)]
    Edge(edge::Command),
    /// Events that could not be dealt with: lists, replays and drops them.
    Dlq(dlq::Args),
}

impl Cli {
    /// Does it. The exit code is 0 when it worked, 1 when it did not; `verify` has more of them.
    pub fn run(self) -> ExitCode {
        match self.dispatch() {
            Ok(code) => code,
            Err(error) => {
                ui::complain(&error.to_string());
                ExitCode::FAILURE
            }
        }
    }

    fn dispatch(self) -> Result<ExitCode, CtlError> {
        let good = match self.command {
            // These work without a checkout.
            Command::Verify(args) => return verify::run(&args),
            Command::Sign(args) => sign::run(&args),
            Command::Keygen(args) => keygen::run(&args),
            Command::Budgets(args) => budgets::run(&args),
            Command::Audit(command) => audit::run(&command),
            Command::Manifest(args) => manifest::run(&args),
            Command::Sbom(args) => sbom::run(&args),
            Command::Edge(command) => edge::run(&command),
            Command::Up(args) => up::run(&Paths::discover()?, &args),
            Command::Down => down::run(&Paths::discover()?),
            Command::Status(args) => status::run(&Paths::discover()?, &args),
            Command::Smoke(args) => smoke::run(&Paths::discover()?, &args),
            Command::Test(args) => test::run(&Paths::discover()?, &args),
            Command::Build(args) => build::run(&Paths::discover()?, &args),
            Command::Doctor => Ok(doctor::run(&Paths::discover()?)),
            Command::Keys(args) => keys::run(&Paths::discover()?, &args),
            Command::Dlq(args) => dlq::run(&Paths::discover()?, &args),
            Command::Ledger(command) => ledger::run(&Paths::discover()?, &command),
        }?;
        // What ran and found something bad has said so.
        Ok(if good {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
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
