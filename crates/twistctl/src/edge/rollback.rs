//! `edge rollback`: gives the requests back to the version that had them before.

use crate::edge::EdgeError;
use crate::edge::api::{Api, Deployment, Version};
use crate::edge::bindings::{Bindings, deployed};
use crate::ui;

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The environment.
    pub environment: String,
    /// Only this script; all, if none is named.
    pub worker: Option<String>,
    /// This version of it, instead of the one before.
    pub to: Option<String>,
}

/// One script's way back.
struct Back {
    script: String,
    version: Version,
}

/// Does it: scripts that are bound to others first, so that none calls one that is older than it.
pub async fn run(api: &Api, bindings: &Bindings, options: &Options) -> Result<(), EdgeError> {
    if options.to.is_some() && options.worker.is_none() {
        return Err(EdgeError::help(
            "--to names a version of one script: name it with --worker",
        ));
    }
    if let Some(name) = &options.worker
        && bindings.worker(name).is_none()
    {
        return Err(EdgeError::help(format!("there is no worker {name}")));
    }
    let mut backs = Vec::new();
    for worker in bindings.in_order().into_iter().rev() {
        if options
            .worker
            .as_ref()
            .is_none_or(|name| *name == worker.name)
        {
            let script = deployed(&worker.name, &options.environment);
            match look(api, script, options.to.as_deref()).await {
                Ok(back) => backs.push(back),
                // One of two may have been published once only.
                Err(Found::NothingBefore(text)) if options.worker.is_none() => ui::say(&text),
                Err(Found::NothingBefore(text)) => return Err(EdgeError::Help(text)),
                Err(Found::Failed(error)) => return Err(error),
            }
        }
    }
    if backs.is_empty() {
        return Err(EdgeError::help("there is nothing to go back to"));
    }
    for Back { script, version } in backs {
        api.deploy(&script, &[(&version.id, 100)], "twistctl edge rollback")
            .await?;
        ui::say(&format!(
            "{script}: version {} (number {}) has all requests again",
            version.id, version.number
        ));
    }
    Ok(())
}

enum Found {
    NothingBefore(String),
    Failed(EdgeError),
}

impl<E: Into<EdgeError>> From<E> for Found {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

async fn look(api: &Api, script: String, to: Option<&str>) -> Result<Back, Found> {
    let deployments = api.deployments(&script).await?;
    let mut now = Vec::new();
    for share in deployments.first().map_or(&[][..], |now| &now.versions) {
        now.push(api.version(&script, &share.version_id).await?);
    }
    now.sort_by_key(|version| version.number);
    let Some(newest) = now.last() else {
        return Err(Found::NothingBefore(format!(
            "{script}: nothing is deployed"
        )));
    };
    let version = match to {
        Some(id) => Some(api.version(&script, id).await?),
        None => before(api, &script, &deployments, newest).await?,
    };
    let Some(version) = version else {
        return Err(Found::NothingBefore(format!(
            "{script}: no version had all requests before {}",
            newest.id
        )));
    };
    let tag = |version: &Version| version.resources.script_runtime.migration_tag.clone();
    let (then, at) = (tag(&version), tag(newest));
    if then != at {
        let name = |tag: Option<String>| tag.unwrap_or_else(|| "nothing".to_owned());
        return Err(EdgeError::help(format!(
            "{script}: version {} is from before a migration of the Durable Objects ({} then, {} now), and a migration cannot be taken back: revert the change in the code, keep the migrations in edge/bindings.json as they are, build, and publish that",
            version.id,
            name(then),
            name(at)
        ))
        .into());
    }
    Ok(Back { script, version })
}

/// The last version that had all requests and is older than the newest one: what was gone back from once is
/// not what is gone back to.
async fn before(
    api: &Api,
    script: &str,
    deployments: &[Deployment],
    newest: &Version,
) -> Result<Option<Version>, EdgeError> {
    for deployment in deployments.iter().skip(1) {
        if let [share] = deployment.versions.as_slice() {
            let version = api.version(script, &share.version_id).await?;
            if version.number < newest.number {
                return Ok(Some(version));
            }
        }
    }
    Ok(None)
}
