//! `--rebuild`: builds the manifest's commit again and compares.
//!
//! Proves that the artifacts are what the commit builds. With Nix only the last step of each artifact is made here for
//! certain; what it starts from may come from a binary cache that this machine's Nix trusts. Only a clean
//! commit can be built again, by the builder of the manifest and with the same tools; where that cannot be had, the
//! rows say why.

mod host;
mod locks;
mod nix;

use crate::run::ask_in;
use crate::verify::{Context, Leg, Row};
use crate::{CtlError, Paths};
use attest::{Artifact, Builder};
use std::env::consts::ARCH;

const LEG: &str = "rebuild";

/// Builds again.
#[derive(Debug)]
pub struct Rebuild;

impl Leg for Rebuild {
    fn check(&self, context: &Context) -> Vec<Row> {
        let here = format!("{ARCH}-linux");
        let (own, foreign): (Vec<&Artifact>, Vec<&Artifact>) = context
            .artifacts()
            .partition(|artifact| artifact.canonical_system.to_string() == here);
        let mut rows = if own.is_empty() {
            Vec::new()
        } else {
            match commit(context) {
                Ok((paths, revision)) => {
                    let mut rows = match context.manifest.draft().builder {
                        Builder::Nix => nix::check(context, &paths, &revision, &here, &own),
                        Builder::Host => host::check(context, &paths, &revision, &own),
                    };
                    rows.extend(locks::check(context, &paths, &revision));
                    rows
                }
                Err(why) => none_checked(&own, &why),
            }
        };
        rows.extend(foreign.iter().map(|artifact| {
            Row::new(LEG, artifact, "").not_checked(format!(
                "it is built on {}, and this machine is {here}",
                artifact.canonical_system
            ))
        }));
        rows
    }
}

fn none_checked(artifacts: &[&Artifact], why: &str) -> Vec<Row> {
    artifacts
        .iter()
        .map(|artifact| Row::new(LEG, artifact, "").not_checked(why))
        .collect()
}

/// The checkout, and the commit in it that the manifest was made from.
fn commit(context: &Context) -> Result<(Paths, String), String> {
    let source = &context.manifest.draft().source;
    let revision = match &source.revision {
        Some(_) if source.dirty => {
            return Err(
                "it was built from files that differ from their commit, which nobody else has"
                    .into(),
            );
        }
        Some(revision) => revision.to_string(),
        None => return Err("the manifest names no commit".into()),
    };
    let paths = Paths::discover().map_err(|error| error.to_string())?;
    let object = format!("{revision}^{{commit}}");
    ask_in(&paths.root, "git", &["cat-file", "-e", &object]).ok_or_else(|| {
        format!(
            "{} does not have the commit {revision}; git fetch may bring it",
            paths.root.display()
        )
    })?;
    if !is_reachable(&paths, &revision) {
        return Err(format!(
            "no branch and no tag of {} leads to the commit {revision}; to build it is to run it, so nobody did",
            paths.root.display()
        ));
    }
    Ok((paths, revision))
}

/// Whether the checkout stands for the commit. Git also keeps, and hosts hand out, commits that strangers proposed;
/// whoever names one in a manifest must not have it run here.
fn is_reachable(paths: &Paths, revision: &str) -> bool {
    let contains = format!("--contains={revision}");
    let refs = ["refs/heads", "refs/tags", "refs/remotes"];
    let args = [&["for-each-ref", "--count=1", &contains], &refs[..]].concat();
    let named = ask_in(&paths.root, "git", &args).is_some_and(|found| !found.is_empty());
    // What is checked out may have no name, as in automatic builds.
    named
        || ask_in(
            &paths.root,
            "git",
            &["merge-base", "--is-ancestor", revision, "HEAD"],
        )
        .is_some()
}

/// The last lines of what a tool printed, for a sentence.
fn tail(output: &str) -> String {
    let lines: Vec<&str> = output
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let from = lines.len().saturating_sub(6);
    lines.get(from..).unwrap_or_default().join("\n")
}

fn failed(what: &str, error: &CtlError) -> String {
    format!("{what}: {error}")
}
