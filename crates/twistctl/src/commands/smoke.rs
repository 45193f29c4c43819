//! `smoke`.

use crate::platform::Secrets;
use crate::smoke::{Environment, Local, Target, all_passed, json, line, walk};
use crate::{CtlError, Paths, commands, platform, ui};
use client::{Client, Endpoints};

/// Options of `smoke`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to walk the journeys against. `local` is the platform that `up` started.
    #[arg(long, value_enum, default_value_t = Env::Local)]
    env: Env,
    /// For programs.
    #[arg(long)]
    json: bool,
    /// Base URL of auth-service, for other environments.
    #[arg(long, env = "TWIST_SMOKE_AUTH_URL")]
    auth_url: Option<String>,
    /// Base URL of influencer-api, for other environments.
    #[arg(long, env = "TWIST_SMOKE_API_URL")]
    api_url: Option<String>,
    /// Base URL of the edge, for other environments.
    #[arg(long, env = "TWIST_SMOKE_EDGE_URL")]
    edge_url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Env {
    Local,
    Staging,
    Production,
}

/// Walks the journeys. Succeeds when no step failed.
pub fn run(paths: &Paths, args: &Args) -> Result<bool, CtlError> {
    let target = match args.env {
        Env::Local => local(paths)?,
        Env::Staging => remote(args, Environment::Staging)?,
        Env::Production => remote(args, Environment::Production)?,
    };
    let quiet = args.json;
    let reports = commands::runtime()?.block_on(walk(&target, |report| {
        if !quiet {
            ui::say(&line(report));
        }
    }));
    if args.json {
        ui::say(&json(&reports));
    }
    Ok(all_passed(&reports))
}

fn local(paths: &Paths) -> Result<Target, CtlError> {
    let record = commands::running(paths)?;
    let secrets = Secrets::load_or_make(paths)?;
    let ports = &record.ports;
    Ok(Target {
        environment: Environment::Local,
        client: Client::new(platform::endpoints(ports))?,
        local: Some(Local {
            inside: Local::inside(ports),
            ops: Local::ops(ports),
            integrator: (Secrets::INTEGRATOR.to_owned(), secrets.integrator.clone()),
            operator_token: secrets.operator(),
            migrate: paths.target().join("debug/twist-migrate"),
            owner_url: platform::owner_url(ports, &secrets),
        }),
    })
}

fn remote(args: &Args, environment: Environment) -> Result<Target, CtlError> {
    let url = |given: &Option<String>, option: &str| {
        given
            .as_ref()
            .map(|url| url.trim_end_matches('/').to_owned())
            .ok_or_else(|| CtlError::Help(format!("say where it is: {option} https://…")))
    };
    let endpoints = Endpoints {
        auth: url(&args.auth_url, "--auth-url")?,
        api: url(&args.api_url, "--api-url")?,
        edge: url(&args.edge_url, "--edge-url")?,
    };
    Ok(Target {
        environment,
        client: Client::new(endpoints)?,
        local: None,
    })
}
