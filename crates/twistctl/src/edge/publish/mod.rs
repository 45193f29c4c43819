//! `edge publish`: uploads versions, reads them back, and lets requests to them.
//!
//! Everything that can be found out without a change is found out first, for all scripts; then the scripts go
//! one after the other, those that others are bound to first. A version gets requests only after what
//! Cloudflare hands out was compared with what was sent. A publication that ended in the middle is repaired
//! by the same command: what is already right is left as it is.

mod plan;

use crate::edge::api::{Api, Deployment, Share};
use crate::edge::bindings::{Bindings, Worker, deployed};
use crate::edge::bundle::Bundle;
use crate::edge::metadata::Upload;
use crate::edge::values::Values;
use crate::edge::{EdgeError, metadata};
use crate::ui;
use plan::{Means, Step};
use serde_json::Value;
use std::path::PathBuf;

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder with the bundles.
    pub bundles: PathBuf,
    /// Only these scripts; all, if none is named.
    pub only: Vec<String>,
    /// Of a hundred requests, how many go to the new version.
    pub percent: u8,
    /// Send secrets also where the script has them.
    pub secrets: bool,
    /// Only say what would be done.
    pub dry: bool,
}

/// Publishes an environment.
#[derive(Debug)]
pub struct Publisher<'a> {
    /// The account.
    pub api: &'a Api,
    /// The list.
    pub bindings: &'a Bindings,
    /// The environment's values.
    pub values: &'a Values,
}

impl Publisher<'_> {
    /// Does it, and says what it does.
    pub async fn run(&self, options: &Options) -> Result<(), EdgeError> {
        let steps = self.plan(options).await?;
        for step in &steps {
            ui::say(&step.announcement(options));
        }
        if options.dry {
            ui::say("nothing was changed: this was a dry run");
            return Ok(());
        }
        for (at, step) in steps.iter().enumerate() {
            if let Err(error) = self.perform(step, options).await {
                return Err(unfinished(&error, steps.get(at..).unwrap_or_default()));
            }
        }
        Ok(())
    }

    async fn perform(&self, step: &Step<'_>, options: &Options) -> Result<(), EdgeError> {
        let script = step.script.as_str();
        let version = match &step.means {
            Means::Nothing { .. } => return Ok(()),
            Means::Share { version } => version.clone(),
            Means::Version => {
                let form = self.upload(step, None).form();
                let version = self.api.add_version(script, form).await?.id;
                // It has no requests yet: what is wrong with it stays without effect.
                self.read_back(step, &version).await?;
                version
            }
            Means::Script { migrations } => {
                let form = self.upload(step, migrations.clone()).form();
                self.api.put_script(script, form).await?;
                let version = in_force(&self.api.deployments(script).await?, script)?;
                self.read_back(step, &version).await.map_err(|error| {
                    EdgeError::help(format!(
                        "{error}; it has the requests already: `twistctl edge rollback`, or publish again"
                    ))
                })?;
                ui::say(&format!(
                    "{script}: version {version} has all requests, read back and equal, {}",
                    step.bundle.hash()
                ));
                return Ok(());
            }
        };
        self.share(step, &version, options.percent).await
    }

    fn upload<'a>(&'a self, step: &'a Step<'_>, migrations: Option<Value>) -> Upload<'a> {
        Upload {
            bindings: self.bindings,
            bundle: &step.bundle,
            bound: &step.bound,
            secrets: &step.secrets,
            kept: step.exists,
            migrations,
        }
    }

    /// Gives the version its part of the requests, the rest to the one that had most of them.
    async fn share(&self, step: &Step<'_>, version: &str, percent: u8) -> Result<(), EdgeError> {
        let script = step.script.as_str();
        let now = self.api.deployments(script).await?;
        let other = now.first().and_then(|now| stable(now, version));
        let shares = match &other {
            Some(other) if percent < 100 => {
                vec![(version, percent), (other.as_str(), 100 - percent)]
            }
            _ => vec![(version, 100)],
        };
        let message = format!("twistctl edge publish {}", step.bundle.tag());
        self.api.deploy(script, &shares, &message).await?;
        let after = self.api.deployments(script).await?;
        let holds = after.first().is_some_and(|after| {
            after.versions.len() == shares.len()
                && shares.iter().all(|(id, percent)| {
                    let same = |share: &Share| share.version_id == *id && share.is(*percent);
                    after.versions.iter().any(same)
                })
        });
        if !holds {
            return Err(EdgeError::help(format!(
                "{script}: the deployment in force is not the one that was just made; somebody else deploys at the same time: look with `twistctl edge status`"
            )));
        }
        ui::say(&format!(
            "{script}: version {version} has {percent} % of the requests, read back and equal, {}",
            step.bundle.hash()
        ));
        Ok(())
    }

    /// Compares what Cloudflare hands out with what was sent.
    async fn read_back(&self, step: &Step<'_>, version: &str) -> Result<(), EdgeError> {
        let content = self.api.content(&step.script, Some(version)).await?;
        let parting = match Bundle::of_content(content) {
            Ok(found) => step.bundle.parting(&found),
            Err(parting) => Some(parting),
        };
        match parting {
            None => Ok(()),
            Some(parting) => Err(EdgeError::help(format!(
                "{}: version {version} read back is not what was published: {}",
                step.script, parting.0
            ))),
        }
    }

    /// What the scripts are bound to in this environment.
    async fn bound(&self, worker: &Worker) -> Result<Vec<crate::edge::api::Bound>, EdgeError> {
        let environment = &self.values.environment;
        let mut ids = std::collections::BTreeMap::new();
        if !worker.kv.is_empty() {
            let there = self.api.namespaces().await?;
            for kv in &worker.kv {
                let title = deployed(&kv.namespace, environment);
                let id = there.get(&title).ok_or_else(|| {
                    EdgeError::help(format!(
                        "there is no key-value namespace {title}: apply edge/terraform first"
                    ))
                })?;
                ids.insert(kv.namespace.clone(), id.clone());
            }
        }
        let variables = self.values.of(worker).variables(worker);
        Ok(metadata::bound(worker, environment, &variables, &ids))
    }
}

/// The version that has every request.
fn in_force(deployments: &[Deployment], script: &str) -> Result<String, EdgeError> {
    match deployments.first().map(|now| now.versions.as_slice()) {
        Some([share]) if share.is_all() => Ok(share.version_id.clone()),
        _ => Err(EdgeError::help(format!(
            "{script}: was uploaded, and no single version has the requests: look with `twistctl edge status`"
        ))),
    }
}

/// The version that had most of the requests, other than the new one.
fn stable(now: &Deployment, new: &str) -> Option<String> {
    let others = now.versions.iter().filter(|share| share.version_id != new);
    let most = others.max_by(|a, b| a.part().total_cmp(&b.part()));
    most.map(|share| share.version_id.clone())
}

fn unfinished(error: &EdgeError, rest: &[Step<'_>]) -> EdgeError {
    let names: Vec<&str> = rest.iter().map(|step| step.script.as_str()).collect();
    EdgeError::help(format!(
        "{error}\nnot published: {}; what came before it is. Once that is mended, the same command goes on here",
        names.join(", ")
    ))
}
