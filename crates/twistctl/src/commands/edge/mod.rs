//! `edge publish`, `status`, `rollback`, `redrive`, `replay`, `state`.

mod args;

pub use args::{Command, Publish, Redrive, Replay, Rollback, State, StateOf, Status};

use crate::edge::bindings::Bindings;
use crate::edge::publish::{self, Publisher};
use crate::edge::values::{self, Values};
use crate::edge::{EdgeError, redrive, replay, rollback, state, status};
use crate::{CtlError, Paths, commands, ui};
use args::Account;
use std::path::Path;
use std::{env, fs};

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
