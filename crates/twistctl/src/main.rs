//! Entry point.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    twistctl::cli::Cli::parse().run()
}
