//! What can be typed after `edge`.

use crate::edge::api::{Api, DEFAULT_URL, Token};
use crate::edge::{EdgeError, replay, state};
use clap::{Args, Subcommand};
use std::env;
use std::path::{Path, PathBuf};

/// What runs at Cloudflare.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Uploads what differs from what is deployed, reads it back, and lets requests to it.
    Publish(Publish),
    /// Shows which versions have the requests, and the hashes of what Cloudflare hands out.
    Status(Status),
    /// Gives the requests back to the version that had them before.
    Rollback(Rollback),
    /// Sends messages of dead-letter queues on to the queues that they were meant for.
    Redrive(Redrive),
    /// Posts segments that the edge keeps copies of to the backend.
    Replay(Replay),
    /// The encrypted state of edge/terraform in a branch.
    #[command(subcommand)]
    State(State),
}

/// Who asks.
#[derive(Debug, Args)]
pub(super) struct Account {
    /// The account's id.
    #[arg(long, env = "CLOUDFLARE_ACCOUNT_ID", hide_env_values = true)]
    pub(super) account: String,
    /// Where the API is.
    #[arg(long, env = "CLOUDFLARE_API_BASE_URL", default_value = DEFAULT_URL)]
    pub(super) api_url: String,
}

impl Account {
    /// The token is never an argument: everybody on the machine can read those.
    pub(super) fn api(&self) -> Result<Api, EdgeError> {
        let token = env::var("CLOUDFLARE_API_TOKEN").map_err(|_| {
            EdgeError::help("CLOUDFLARE_API_TOKEN is not set: it has to have the API token")
        })?;
        Ok(Api::new(&self.api_url, &self.account, Token::new(token))?)
    }
}

/// Options of `publish`.
#[derive(Debug, Args)]
pub struct Publish {
    #[command(flatten)]
    pub(super) account: Account,
    /// The environment's values, TOML or JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) values: PathBuf,
    /// The folder with the bundles, one folder each.
    #[arg(long, value_name = "DIR")]
    pub(super) bundles: PathBuf,
    /// The list of bindings [default: edge/bindings.json of the checkout].
    #[arg(long, value_name = "FILE")]
    pub(super) bindings: Option<PathBuf>,
    /// Only this worker; can be given again.
    #[arg(long, value_name = "NAME")]
    pub(super) worker: Vec<String>,
    /// Of a hundred requests, how many go to the new version.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(super) percent: u8,
    /// Send secrets also where the script has them.
    #[arg(long)]
    pub(super) secrets: bool,
    /// Only say what would be done.
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// Options of `status`.
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub(super) account: Account,
    /// The environment.
    #[arg(long)]
    pub(super) environment: String,
    /// Compares with the bundles in this folder.
    #[arg(long, value_name = "DIR")]
    pub(super) bundles: Option<PathBuf>,
    /// The list of bindings [default: edge/bindings.json of the checkout].
    #[arg(long, value_name = "FILE")]
    pub(super) bindings: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Options of `rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    #[command(flatten)]
    pub(super) account: Account,
    /// The environment.
    #[arg(long)]
    pub(super) environment: String,
    /// Only this worker.
    #[arg(long, value_name = "NAME")]
    pub(super) worker: Option<String>,
    /// This version of it, instead of the one before.
    #[arg(long, value_name = "VERSION")]
    pub(super) to: Option<String>,
    /// The list of bindings [default: edge/bindings.json of the checkout].
    #[arg(long, value_name = "FILE")]
    pub(super) bindings: Option<PathBuf>,
}

/// Options of `redrive`.
#[derive(Debug, Args)]
pub struct Redrive {
    #[command(flatten)]
    pub(super) account: Account,
    /// The environment.
    #[arg(long)]
    pub(super) environment: String,
    /// Only this queue, by its name in the list of bindings.
    #[arg(long, value_name = "NAME")]
    pub(super) queue: Option<String>,
    /// Do it; without this, only look.
    #[arg(long)]
    pub(super) send: bool,
    /// Of each queue at most so many messages.
    #[arg(long, default_value_t = 100_000)]
    pub(super) limit: u32,
    /// The list of bindings [default: edge/bindings.json of the checkout].
    #[arg(long, value_name = "FILE")]
    pub(super) bindings: Option<PathBuf>,
}

/// Options of `replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// A folder with a copy of the bucket.
    #[arg(long, value_name = "DIR", conflicts_with = "bucket")]
    pub(super) folder: Option<PathBuf>,
    /// A bucket, by its full name; needs `CLOUDFLARE_ACCOUNT_ID` and `CLOUDFLARE_API_TOKEN`.
    #[arg(long, value_name = "NAME", required_unless_present = "folder")]
    pub(super) bucket: Option<String>,
    /// The account's id.
    #[arg(
        long,
        env = "CLOUDFLARE_ACCOUNT_ID",
        hide_env_values = true,
        default_value = ""
    )]
    pub(super) account: String,
    /// Where Cloudflare's API is.
    #[arg(long, env = "CLOUDFLARE_API_BASE_URL", default_value = DEFAULT_URL)]
    pub(super) api_url: String,
    /// The backend.
    #[arg(long, value_name = "URL")]
    pub(super) backend: String,
    /// Names the secret to the backend.
    #[arg(long, value_name = "ID")]
    pub(super) key_id: String,
    /// The file with the secret [default: what `TWIST_BACKEND_HMAC_SECRET` holds].
    #[arg(long, value_name = "FILE")]
    pub(super) secret_file: Option<PathBuf>,
    /// Remembers what was acknowledged, over several runs.
    #[arg(long, value_name = "FILE")]
    pub(super) cursor: PathBuf,
    /// Only this shard.
    #[arg(long)]
    pub(super) shard: Option<String>,
    /// From this day on, yyyy-mm-dd.
    #[arg(long, value_parser = day)]
    pub(super) since: Option<String>,
    /// To this day, and with it.
    #[arg(long, value_parser = day)]
    pub(super) until: Option<String>,
    /// Only count.
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// What is done with the state.
#[derive(Debug, Subcommand)]
pub enum State {
    /// Fetches it out of the branch.
    Pull(StateOf),
    /// Commits it to the branch, unless it was changed there since it was pulled.
    Push(StateOf),
}

/// Options of `state`.
#[derive(Debug, Args)]
pub struct StateOf {
    /// The environment, or `zone`.
    pub(super) name: String,
    /// The file that `OpenTofu` reads and writes.
    #[arg(long, value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The remote's name or address.
    #[arg(long, default_value = "origin")]
    pub(super) remote: String,
    /// The branch.
    #[arg(long, default_value = "infra-state")]
    pub(super) branch: String,
}

fn day(text: &str) -> Result<String, String> {
    if replay::is_day(text) {
        Ok(text.to_owned())
    } else {
        Err("a day is written yyyy-mm-dd".to_owned())
    }
}

impl StateOf {
    pub(super) fn options(&self) -> Result<state::Options, EdgeError> {
        let here = env::current_dir().map_err(EdgeError::io("find", Path::new(".")))?;
        Ok(state::Options {
            repository: here,
            remote: self.remote.clone(),
            branch: self.branch.clone(),
            name: super::environment(&self.name)?,
            file: self.file.clone(),
        })
    }
}
