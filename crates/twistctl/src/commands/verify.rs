//! `verify`.

use crate::verify::{self, Request};
use crate::{CtlError, ui};
use std::path::PathBuf;
use std::process::ExitCode;

/// Options of `verify`.
///
/// Exit codes: 0 everything asked for was compared and is equal, 1 something differs, 2 the question makes no
/// sense (also a manifest that is none), 3 something is missing, 4 the signature does not hold, 5 something
/// could not be looked at. The worst one counts, in the order 2, 4, 1, 3, 5.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Args {
    /// The release manifest.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// The manifest's signature [default: <manifest>.sig, if it is there].
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// A public key that may have signed; can be given again [default: keys/release/*.pem of the checkout].
    #[arg(long, value_name = "PEM")]
    key: Vec<PathBuf>,
    /// Compares a release folder.
    #[arg(long, value_name = "DIR")]
    dist: Vec<PathBuf>,
    /// Asks a running service for its /version.
    #[arg(long, value_name = "[NAME=]URL")]
    service: Vec<String>,
    /// Compares a container image: docker-archive or OCI archive, or an OCI layout folder.
    #[arg(long, value_name = "[NAME=]PATH")]
    oci: Vec<String>,
    /// Reads a deployed script out of Cloudflare's API (`…/accounts/ID/workers/scripts/SCRIPT`, with the token in
    /// `CLOUDFLARE_API_TOKEN`), or a folder with its modules or a file with that answer, and compares it.
    #[arg(long, value_name = "[NAME=]URL|PATH")]
    worker: Vec<String>,
    /// Compares what `up` runs on this machine.
    #[arg(long)]
    stack: bool,
    /// Builds the manifest's commit again and compares.
    #[arg(long)]
    rebuild: bool,
    /// Only this artifact, for --dist, --stack and --rebuild; can be given again.
    #[arg(long, value_name = "NAME")]
    artifact: Vec<String>,
    /// A release folder with good copies, to tell the very byte of a difference.
    #[arg(long, value_name = "DIR")]
    reference: Option<PathBuf>,
    /// Shows what diffoscope says of each difference.
    #[arg(long)]
    diffoscope: bool,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// Compares, prints, and answers with the exit code.
pub fn run(args: &Args) -> Result<ExitCode, CtlError> {
    let report = verify::run(&Request {
        manifest: args.manifest.clone(),
        signature: args.signature.clone(),
        keys: args.key.clone(),
        dist: args.dist.clone(),
        services: args.service.clone(),
        images: args.oci.clone(),
        workers: args.worker.clone(),
        stack: args.stack,
        rebuild: args.rebuild,
        artifacts: args.artifact.clone(),
        reference: args.reference.clone(),
        diffoscope: args.diffoscope,
    });
    let text = if args.json {
        format!("{:#}", report.to_json())
    } else {
        report.to_text()
    };
    ui::say(&text);
    if let Some(error) = &report.error {
        ui::complain(error);
    }
    Ok(ExitCode::from(report.outcome().code()))
}
