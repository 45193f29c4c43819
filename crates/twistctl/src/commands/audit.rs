//! `audit verify`.

use crate::audit::{Folder, R2, Source};
use crate::{CtlError, commands, ui};
use attest::{PublicKey, Signature};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edge_core::audit::{Check, Day, Verdict, Verifier};
use std::fs;
use std::path::PathBuf;

/// What can be done with the audit log.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Walks the hash chain of the edge's audit log and its signed roots; names everything that is missing,
    /// reordered, altered, truncated or forged.
    Verify(Verify),
}

/// Options of `audit verify`.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// A copy of the bucket: the folder in which `audit/` is.
    #[arg(required_unless_present = "bucket", conflicts_with = "bucket")]
    folder: Option<PathBuf>,
    /// The bucket itself, over Cloudflare's API.
    #[arg(long, requires = "account", requires = "api_token")]
    bucket: Option<String>,
    /// The Cloudflare account of the bucket.
    #[arg(long, env = "CLOUDFLARE_ACCOUNT_ID")]
    account: Option<String>,
    /// A token that may read the bucket.
    #[arg(long, env = "CLOUDFLARE_API_TOKEN", hide_env_values = true)]
    api_token: Option<String>,
    /// Another address of the API.
    #[arg(
        long,
        default_value = "https://api.cloudflare.com/client/v4",
        hide_default_value = true
    )]
    api_url: String,
    /// The public half of a key that may sign roots, in PEM form; may be given several times. Without any,
    /// signatures are not looked at.
    #[arg(long = "key", value_name = "PEM")]
    keys: Vec<PathBuf>,
    /// Start at this day (yyyy-mm-dd): what is older was deleted for its age.
    #[arg(long, value_name = "DAY")]
    since: Option<Day>,
    /// There must be a signed root for this day (yyyy-mm-dd), so that a log whose newest days were taken away is
    /// not taken for whole.
    #[arg(long, value_name = "DAY", requires = "keys")]
    through: Option<Day>,
}

/// Does it. Succeeds when nothing is wrong.
pub fn run(command: &Command) -> Result<bool, CtlError> {
    let Command::Verify(options) = command;
    let source = options.source()?;
    let keys = options.keys()?;
    let verdict = commands::runtime()?.block_on(walk(options, &source, &keys))?;
    Ok(report(options, &verdict))
}

impl Verify {
    fn source(&self) -> Result<Source, CtlError> {
        if let Some(folder) = &self.folder {
            return Ok(Source::Folder(Folder(folder.clone())));
        }
        let given = |value: &Option<String>, name: &str| {
            value
                .clone()
                .ok_or_else(|| CtlError::Help(format!("{name} is missing")))
        };
        Ok(Source::R2(R2::new(
            &self.api_url,
            &given(&self.account, "--account")?,
            &given(&self.bucket, "--bucket")?,
            given(&self.api_token, "--api-token")?,
        )?))
    }

    fn keys(&self) -> Result<Vec<PublicKey>, CtlError> {
        let read = |path: &PathBuf| {
            let text = fs::read_to_string(path).map_err(CtlError::io("read", path))?;
            PublicKey::from_pem(&text)
                .map_err(|error| CtlError::Help(format!("{}: {error}", path.display())))
        };
        self.keys.iter().map(read).collect()
    }
}

async fn walk(options: &Verify, source: &Source, keys: &[PublicKey]) -> Result<Verdict, CtlError> {
    let holds = |message: &[u8], signature: &[u8; 64]| {
        let signature = Signature::parse(&STANDARD.encode(signature));
        signature.is_ok_and(|s| keys.iter().any(|key| key.verify(message, &s).is_ok()))
    };
    let check: Option<Check<'_>> = if keys.is_empty() { None } else { Some(&holds) };
    let mut verifier = Verifier::new(check, options.since);
    for key in source.keys().await? {
        if verifier.wants(&key) {
            verifier.object(&key, &source.read(&key).await?);
        }
    }
    Ok(verifier.finish())
}

fn report(options: &Verify, verdict: &Verdict) -> bool {
    ui::say(&format!("  records          {}", verdict.records));
    ui::say(&format!("  segments         {}", verdict.segments));
    ui::say(&format!("  last hash        {}", verdict.head.hash));
    ui::say(&match (&options.keys[..], verdict.signed_through) {
        ([], _) => "  signatures       not looked at: no --key is given".to_owned(),
        (_, None) => "  signed           nothing".to_owned(),
        (_, Some(day)) => format!(
            "  signed           {} days, the last is {day}",
            verdict.roots
        ),
    });
    for finding in &verdict.findings {
        ui::say(&format!(
            "  ✗ {} {}: {}",
            finding.flaw, finding.key, finding.detail
        ));
    }
    let mut whole = verdict.findings.is_empty();
    if verdict.segments == 0 {
        ui::say("  ✗ missing: there is no segment at all");
        whole = false;
    }
    if let Some(day) = options.through
        && verdict.signed_through.is_none_or(|signed| signed < day)
    {
        ui::say(&format!(
            "  ✗ missing root: nothing is signed through {day}"
        ));
        whole = false;
    }
    whole
}
