//! `edge publish`, `status`, `rollback`, `redrive`, `replay`, `state`.

use crate::edge::api::{Api, DEFAULT_URL, Token};
use crate::edge::bindings::Bindings;
use crate::edge::publish::{self, Publisher};
use crate::edge::values::{self, Values};
use crate::edge::{EdgeError, redrive, replay, rollback, state, status};
use crate::{CtlError, Paths, commands, ui};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use std::{env, fs};

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
struct Account {
    /// The account's id.
    #[arg(long, env = "CLOUDFLARE_ACCOUNT_ID", hide_env_values = true)]
    account: String,
    /// Where the API is.
    #[arg(long, env = "CLOUDFLARE_API_BASE_URL", default_value = DEFAULT_URL)]
    api_url: String,
}

impl Account {
    /// The token is never an argument: everybody on the machine can read those.
    fn api(&self) -> Result<Api, EdgeError> {
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
    account: Account,
    /// The environment's values, TOML or JSON.
    #[arg(long, value_name = "FILE")]
    values: PathBuf,
    /// The folder with the bundles, one folder each.
    #[arg(long, value_name = "DIR")]
    bundles: PathBuf,
    /// The list of bindings [default: edge/bindings.json of the checkout].
    #[arg(long, value_name = "FILE")]
    bindings: Option<PathBuf>,
    /// Only this worker; can be given again.
    #[arg(long, value_name = "NAME")]
    worker: Vec<String>,
    /// Of a hundred requests, how many go to the new version.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..=100))]
    percent: u8,
    /// Send secrets also where the script has them.
    #[arg(long)]
    secrets: bool,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// Options of `status`.
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    account: Account,
    /// The environment.
    #[arg(long)]
    environment: String,
    /// Compares with the bundles in this folder.
    #[arg(long, value_name = "DIR")]
    bundles: Option<PathBuf>,
    /// The list of bindings [default: edge/bindings.json of the checkout].
    #[arg(long, value_name = "FILE")]
    bindings: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// Options of `rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    #[command(flatten)]
    account: Account,
    /// The environment.
    #[arg(long)]
    environment: String,
    /// Only this worker.
    #[arg(long, value_name = "NAME")]
    worker: Option<String>,
    /// This version of it, instead of the one before.
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// The list of bindings [default: edge/bindings.json of the checkout].
    #[arg(long, value_name = "FILE")]
    bindings: Option<PathBuf>,
}

/// Options of `redrive`.
#[derive(Debug, Args)]
pub struct Redrive {
    #[command(flatten)]
    account: Account,
    /// The environment.
    #[arg(long)]
    environment: String,
    /// Only this queue, by its name in the list of bindings.
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
    /// Do it; without this, only look.
    #[arg(long)]
    send: bool,
    /// Of each queue at most so many messages.
    #[arg(long, default_value_t = 100_000)]
    limit: u32,
    /// The list of bindings [default: edge/bindings.json of the checkout].
    #[arg(long, value_name = "FILE")]
    bindings: Option<PathBuf>,
}

/// Options of `replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// A folder with a copy of the bucket.
    #[arg(long, value_name = "DIR", conflicts_with = "bucket")]
    folder: Option<PathBuf>,
    /// A bucket, by its full name; needs `CLOUDFLARE_ACCOUNT_ID` and `CLOUDFLARE_API_TOKEN`.
    #[arg(long, value_name = "NAME", required_unless_present = "folder")]
    bucket: Option<String>,
    /// The account's id.
    #[arg(
        long,
        env = "CLOUDFLARE_ACCOUNT_ID",
        hide_env_values = true,
        default_value = ""
    )]
    account: String,
    /// Where Cloudflare's API is.
    #[arg(long, env = "CLOUDFLARE_API_BASE_URL", default_value = DEFAULT_URL)]
    api_url: String,
    /// The backend.
    #[arg(long, value_name = "URL")]
    backend: String,
    /// Names the secret to the backend.
    #[arg(long, value_name = "ID")]
    key_id: String,
    /// The file with the secret [default: what `TWIST_BACKEND_HMAC_SECRET` holds].
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Remembers what was acknowledged, over several runs.
    #[arg(long, value_name = "FILE")]
    cursor: PathBuf,
    /// Only this shard.
    #[arg(long)]
    shard: Option<String>,
    /// From this day on, yyyy-mm-dd.
    #[arg(long, value_parser = day)]
    since: Option<String>,
    /// To this day, and with it.
    #[arg(long, value_parser = day)]
    until: Option<String>,
    /// Only count.
    #[arg(long)]
    dry_run: bool,
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
    name: String,
    /// The file that `OpenTofu` reads and writes.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// The remote's name or address.
    #[arg(long, default_value = "origin")]
    remote: String,
    /// The branch.
    #[arg(long, default_value = "infra-state")]
    branch: String,
}

/// Does it.
pub fn run(command: &Command) -> Result<bool, CtlError> {
    match command {
        Command::Publish(args) => run_publish(args),
        Command::Status(args) => run_status(args),
        Command::Rollback(args) => run_rollback(args),
        Command::Redrive(args) => run_redrive(args),
        Command::Replay(args) => run_replay(args),
        Command::State(State::Pull(args)) => Ok(state::pull(&args.options()?).map(|()| true)?),
        Command::State(State::Push(args)) => Ok(state::push(&args.options()?).map(|()| true)?),
    }
}

fn bindings(given: Option<&Path>) -> Result<Bindings, CtlError> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => Paths::discover()?.root.join("edge/bindings.json"),
    };
    Ok(Bindings::load(&path)?)
}

fn environment(name: &str) -> Result<String, EdgeError> {
    values::environment(name).map_err(EdgeError::help)?;
    Ok(name.to_owned())
}

fn run_publish(args: &Publish) -> Result<bool, CtlError> {
    let bindings = bindings(args.bindings.as_deref())?;
    let values = Values::load(&args.values, &bindings)?;
    let api = args.account.api()?;
    let publisher = Publisher {
        api: &api,
        bindings: &bindings,
        values: &values,
    };
    let options = publish::Options {
        bundles: args.bundles.clone(),
        only: args.worker.clone(),
        percent: args.percent,
        secrets: args.secrets,
        dry: args.dry_run,
    };
    commands::runtime()?.block_on(publisher.run(&options))?;
    Ok(true)
}

fn run_status(args: &Status) -> Result<bool, CtlError> {
    let bindings = bindings(args.bindings.as_deref())?;
    let environment = environment(&args.environment)?;
    let api = args.account.api()?;
    let look = status::look(&api, &bindings, &environment, args.bundles.as_deref());
    let lines = commands::runtime()?.block_on(look)?;
    ui::say(&if args.json {
        format!("{:#}", status::to_json(&lines))
    } else {
        status::text(&lines)
    });
    Ok(args.bundles.is_none() || status::is_settled(&lines))
}

fn run_rollback(args: &Rollback) -> Result<bool, CtlError> {
    let bindings = bindings(args.bindings.as_deref())?;
    let options = rollback::Options {
        environment: environment(&args.environment)?,
        worker: args.worker.clone(),
        to: args.to.clone(),
    };
    let api = args.account.api()?;
    commands::runtime()?.block_on(rollback::run(&api, &bindings, &options))?;
    Ok(true)
}

fn run_redrive(args: &Redrive) -> Result<bool, CtlError> {
    let bindings = bindings(args.bindings.as_deref())?;
    let options = redrive::Options {
        environment: environment(&args.environment)?,
        queue: args.queue.clone(),
        send: args.send,
        limit: args.limit,
    };
    let api = args.account.api()?;
    Ok(commands::runtime()?.block_on(redrive::run(&api, &bindings, &options))?)
}

fn run_replay(args: &Replay) -> Result<bool, CtlError> {
    let source = match (&args.folder, &args.bucket) {
        (Some(folder), _) => replay::Source::Folder(folder.clone()),
        (None, bucket) => {
            let account = Account {
                account: args.account.clone(),
                api_url: args.api_url.clone(),
            };
            replay::Source::Bucket {
                api: account.api()?,
                bucket: bucket.clone().unwrap_or_default(),
            }
        }
    };
    let options = replay::Options {
        source,
        chosen: replay::Chosen {
            shard: args.shard.clone(),
            since: args.since.clone(),
            until: args.until.clone(),
        },
        backend: args.backend.clone(),
        key_id: args.key_id.clone(),
        secret: secret(args.secret_file.as_deref())?,
        cursor: args.cursor.clone(),
        dry: args.dry_run,
    };
    Ok(commands::runtime()?.block_on(replay::run(&options))?)
}

fn secret(file: Option<&Path>) -> Result<Vec<u8>, EdgeError> {
    let text = match file {
        Some(path) => fs::read_to_string(path).map_err(EdgeError::io("read", path))?,
        None => env::var("TWIST_BACKEND_HMAC_SECRET").map_err(|_| {
            EdgeError::help(
                "neither --secret-file nor TWIST_BACKEND_HMAC_SECRET says where the secret is",
            )
        })?,
    };
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(EdgeError::help("the secret is empty"));
    }
    Ok(text.as_bytes().to_vec())
}

fn day(text: &str) -> Result<String, String> {
    if replay::is_day(text) {
        Ok(text.to_owned())
    } else {
        Err("a day is written yyyy-mm-dd".to_owned())
    }
}

impl StateOf {
    fn options(&self) -> Result<state::Options, EdgeError> {
        let here = env::current_dir().map_err(EdgeError::io("find", Path::new(".")))?;
        Ok(state::Options {
            repository: here,
            remote: self.remote.clone(),
            branch: self.branch.clone(),
            name: environment(&self.name)?,
            file: self.file.clone(),
        })
    }
}
