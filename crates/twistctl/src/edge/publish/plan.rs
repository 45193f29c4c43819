//! What has to be done to each script, found out without changing anything.

use super::{Options, Publisher};
use crate::edge::EdgeError;
use crate::edge::api::{Bound, Deployment, Script};
use crate::edge::bindings::{Worker, deployed};
use crate::edge::bundle::Bundle;
use crate::edge::metadata;
use crate::edge::migration::{Pending, pending};
use serde_json::Value;
use std::fmt::Write as _;

/// What is done to one script.
pub(super) struct Step<'a> {
    pub(super) worker: &'a Worker,
    pub(super) script: String,
    pub(super) exists: bool,
    pub(super) bundle: Bundle,
    pub(super) bound: Vec<Bound>,
    pub(super) secrets: Vec<(String, String)>,
    pub(super) means: Means,
    migration: Option<(Option<String>, String)>,
}

/// How.
pub(super) enum Means {
    /// It has what it should have.
    Nothing {
        /// As the only version.
        alone: bool,
    },
    /// An equal version is there and gets another part of the requests.
    Share { version: String },
    /// A version is uploaded, then deployed.
    Version,
    /// The script is uploaded and has all requests at once: the first time, and with migrations.
    Script { migrations: Option<Value> },
}

impl Step<'_> {
    pub(super) fn announcement(&self, options: &Options) -> String {
        let what = match &self.means {
            Means::Nothing { alone: true } => "has this bundle for all requests already".to_owned(),
            Means::Nothing { alone: false } => {
                format!("has this bundle at {} % already", options.percent)
            }
            Means::Share { version } => {
                format!(
                    "version {version} is this bundle; it gets {} %",
                    options.percent
                )
            }
            Means::Version => format!("a new version, which gets {} %", options.percent),
            Means::Script { .. } if self.exists => {
                "a new version, which gets all requests".to_owned()
            }
            Means::Script { .. } => "the first version, which gets all requests".to_owned(),
        };
        let mut text = format!("{}: {what}", self.script);
        if let Some((from, to)) = &self.migration {
            let from = from.as_deref().unwrap_or("nothing");
            let _ = write!(text, "; Durable Objects go from {from} to {to}");
        }
        if !self.secrets.is_empty() {
            let names: Vec<&str> = self.secrets.iter().map(|(name, _)| name.as_str()).collect();
            let _ = write!(text, "; secrets sent: {}", names.join(", "));
        }
        text
    }
}

impl Publisher<'_> {
    pub(super) async fn plan(&self, options: &Options) -> Result<Vec<Step<'_>>, EdgeError> {
        for name in &options.only {
            if self.bindings.worker(name).is_none() {
                return Err(EdgeError::help(format!("there is no worker {name}")));
            }
        }
        let chosen: Vec<&Worker> = self
            .bindings
            .in_order()
            .into_iter()
            .filter(|worker| options.only.is_empty() || options.only.contains(&worker.name))
            .collect();
        // A bundle that is not there is found before anyone is asked.
        let mut bundles = Vec::new();
        for worker in &chosen {
            bundles.push(Bundle::read(&options.bundles.join(&worker.bundle))?);
        }
        let scripts = self.api.scripts().await?;
        let mut steps = Vec::new();
        for (worker, bundle) in chosen.into_iter().zip(bundles) {
            steps.push(self.step(worker, bundle, &scripts, options).await?);
        }
        self.partners(&steps, &scripts)?;
        Ok(steps)
    }

    async fn step<'a>(
        &self,
        worker: &'a Worker,
        bundle: Bundle,
        scripts: &[Script],
        options: &Options,
    ) -> Result<Step<'a>, EdgeError> {
        let script = deployed(&worker.name, &self.values.environment);
        let found = scripts.iter().find(|found| found.id == script);
        let bound = self.bound(worker).await?;
        let given = self.values.of(worker);
        let mut step = Step {
            worker,
            exists: found.is_some(),
            bundle,
            bound,
            secrets: Vec::new(),
            means: Means::Version,
            migration: None,
            script,
        };
        let Some(found) = found else {
            if options.percent < 100 {
                return Err(EdgeError::help(format!(
                    "{} was never published: the first version gets all requests, so publish it without --percent",
                    step.script
                )));
            }
            step.secrets = given.secrets(worker, &[], true)?;
            self.migrate(&mut step, None)?;
            if matches!(step.means, Means::Version) {
                step.means = Means::Script { migrations: None };
            }
            return Ok(step);
        };
        let deployments = self.api.deployments(&step.script).await?;
        let there = match newest(&deployments) {
            Some(version) => {
                let version = self.api.version(&step.script, version).await?;
                let bound = version.resources.bindings.into_iter();
                let secret = bound.filter(|bound| bound.kind == "secret_text");
                secret.map(|bound| bound.name).collect()
            }
            None => Vec::new(),
        };
        step.secrets = given.secrets(worker, &there, options.secrets)?;
        self.migrate(&mut step, found.migration_tag.as_deref())?;
        if let Some((_, to)) = &step.migration {
            if options.percent < 100 {
                return Err(EdgeError::help(format!(
                    "{}: this release migrates Durable Objects (to {to}), and a migration goes to all requests at once: publish it without --percent",
                    step.script
                )));
            }
        } else if step.secrets.is_empty() {
            self.reuse(&mut step, &deployments, options.percent).await?;
        }
        Ok(step)
    }

    fn migrate(&self, step: &mut Step<'_>, tag: Option<&str>) -> Result<(), EdgeError> {
        match pending(self.bindings.migrations_of(step.worker), tag) {
            Pending::Steps { from, to, metadata } => {
                step.migration = Some((from, to));
                step.means = Means::Script {
                    migrations: Some(metadata),
                };
                Ok(())
            }
            Pending::Unknown(tag) if step.worker.has_classes() => Err(EdgeError::help(format!(
                "{}: its Durable Objects are at {tag}, which this checkout's edge/bindings.json does not know: it was published from a newer commit, and an older one cannot follow it",
                step.script
            ))),
            // A script without classes of its own has nothing to migrate, whatever its tag says.
            Pending::None | Pending::Unknown(_) => Ok(()),
        }
    }

    /// Finds a version that is equal: one that has requests, or the last one that was uploaded.
    async fn reuse(
        &self,
        step: &mut Step<'_>,
        deployments: &[Deployment],
        percent: u8,
    ) -> Result<(), EdgeError> {
        let now = deployments.first().map_or(&[][..], |now| &now.versions);
        let mut candidates: Vec<String> =
            now.iter().map(|share| share.version_id.clone()).collect();
        let versions = self.api.versions(&step.script).await?;
        let last = versions.into_iter().max_by_key(|version| version.number);
        candidates.extend(last.map(|version| version.id));
        candidates.dedup();
        for id in candidates {
            let version = self.api.version(&step.script, &id).await?;
            if !metadata::is_bound(&version, &step.bound, self.bindings) {
                continue;
            }
            let content = self.api.content(&step.script, Some(&id)).await?;
            let equal = Bundle::of_content(content).is_ok_and(|found| found == step.bundle);
            if equal {
                let has = now.iter().find(|share| share.version_id == id);
                // Alone it has everything, and no lesser part can be given to it.
                let settled = has.is_some_and(|share| share.is(percent) || now.len() == 1);
                step.means = if settled {
                    Means::Nothing {
                        alone: now.len() == 1,
                    }
                } else {
                    Means::Share { version: id }
                };
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whatever a script is bound to is there, or is published before it.
    fn partners(&self, steps: &[Step<'_>], scripts: &[Script]) -> Result<(), EdgeError> {
        for step in steps {
            for other in step.worker.needs() {
                let name = deployed(other, &self.values.environment);
                let there = scripts.iter().any(|script| script.id == name)
                    || steps.iter().any(|step| step.script == name);
                if !there {
                    return Err(EdgeError::help(format!(
                        "{} is bound to {name}, which was never published: give the command without --worker",
                        step.script
                    )));
                }
            }
        }
        Ok(())
    }
}

/// A version of the deployment in force; with two, the one that was given first: the new one.
fn newest(deployments: &[Deployment]) -> Option<&str> {
    let now = deployments.first()?;
    now.versions.first().map(|share| share.version_id.as_str())
}
