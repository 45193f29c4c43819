//! `sign`.

use crate::{CtlError, ui};
use attest::{Builder, Manifest, SigningKey};
use std::fs;
use std::path::PathBuf;

/// Options of `sign`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The manifest.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// The private key: `keygen` or `openssl genpkey -algorithm ed25519` make one.
    #[arg(long, value_name = "PEM")]
    key: PathBuf,
    /// Where the signature goes; beside the manifest, with `.sig` appended, if not given.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Sign even what is no release: built without Nix, or from a tree with uncommitted changes.
    #[arg(long)]
    local: bool,
}

/// Signs the very bytes of a manifest that can be parsed.
pub fn run(args: &Args) -> Result<bool, CtlError> {
    let bytes = fs::read(&args.manifest).map_err(CtlError::io("read", &args.manifest))?;
    let shown = args.manifest.display();
    let manifest = Manifest::parse(&bytes)
        .map_err(|error| CtlError::Help(format!("{shown} is no manifest: {error}")))?;
    if !args.local {
        refuse_what_is_no_release(&manifest)?;
    }
    let pem = fs::read_to_string(&args.key).map_err(CtlError::io("read", &args.key))?;
    let key = SigningKey::from_pem(&pem)
        .map_err(|error| CtlError::Help(format!("{}: {error}", args.key.display())))?;
    let signature = key.sign(&bytes);
    let out = args.out.clone().unwrap_or_else(|| {
        let mut name = args.manifest.clone().into_os_string();
        name.push(".sig");
        name.into()
    });
    fs::write(&out, signature.to_text()).map_err(CtlError::io("write", &out))?;
    ui::note(&format!("{} by key {}", out.display(), key.public().id()));
    Ok(true)
}

fn refuse_what_is_no_release(manifest: &Manifest) -> Result<(), CtlError> {
    let draft = manifest.draft();
    let reason = if draft.builder == Builder::Host {
        "it was built with this machine's tools (builder host), which others cannot repeat; build .#release with Nix"
    } else if draft.source.dirty {
        "its sources were not committed; commit them and build again"
    } else if draft.source.revision.is_none() {
        "it names no commit; build it in a git checkout"
    } else {
        return Ok(());
    };
    Err(CtlError::Help(format!(
        "this is no release: {reason} (--local signs it all the same)"
    )))
}
