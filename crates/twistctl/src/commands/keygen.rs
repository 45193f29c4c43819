//! `keygen`.

use crate::{CtlError, ui};
use attest::SigningKey;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// Options of `keygen`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The private key's file. It must not exist.
    #[arg(long, value_name = "PEM")]
    out: PathBuf,
}

/// Makes a key for [`super::sign`] and prints the public half, which goes into `keys/release/`.
pub fn run(args: &Args) -> Result<bool, CtlError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| CtlError::Help(format!("no random bytes: {error}")))?;
    let key = SigningKey::from_seed(&seed);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&args.out)
        .map_err(CtlError::io("make", &args.out))?;
    file.write_all(key.to_pem().as_bytes())
        .map_err(CtlError::io("write", &args.out))?;
    ui::note(&format!(
        "key {} is in {}; its public half:",
        key.public().id(),
        args.out.display()
    ));
    ui::say(key.public().to_pem().trim_end());
    Ok(true)
}
