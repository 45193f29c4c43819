//! Without Nix: a fresh clone of the checkout at the manifest's commit, built by its own `./twist build`.
//!
//! By its own, not by this program: how a commit is built is a part of the commit, and another version of
//! this program may know other rules. Nothing is shared with other builds but what cargo and npm have
//! downloaded and checked by hash: the sources, the target folder and the cache are new.

use super::{LEG, failed, none_checked, tail};
use crate::run::watch;
use crate::ui::Step;
use crate::verify::{Context, Row};
use crate::{CtlError, Paths, tools};
use attest::{Artifact, Manifest, Sha256, Verdict};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const NPM_LOCK: &str = "edge/package-lock.json";

pub(super) fn check(
    context: &Context,
    paths: &Paths,
    revision: &str,
    artifacts: &[&Artifact],
) -> Vec<Row> {
    let profile = context.manifest.draft().toolchain.get("profile");
    if profile.is_some_and(|profile| profile == "dev") {
        return none_checked(
            artifacts,
            "it is a development build, which tells where it was built and is another one elsewhere",
        );
    }
    let folder = match fresh(paths, revision) {
        Ok(folder) => folder,
        Err(error) => return none_checked(artifacts, &failed("a folder to build in", &error)),
    };
    if let Err(why) = build(context, paths, revision, folder.path()) {
        return none_checked(artifacts, &why);
    }
    let dist = folder.path().join("dist");
    if let Err(why) = same_tools(context, &dist) {
        return none_checked(artifacts, &why);
    }
    let rows: Vec<Row> = artifacts
        .iter()
        .map(|artifact| {
            let path = dist.join(artifact.name.as_str());
            let row = Row::new(LEG, artifact, format!("{revision} built again"));
            context.compare_path(artifact, &path, row)
        })
        .collect();
    if rows.iter().all(|row| row.verdict == Verdict::Match) {
        return rows;
    }
    // For whoever wants to know why.
    let kept = folder.keep();
    rows.into_iter()
        .map(|row| match row.verdict {
            Verdict::Match => row,
            _ => row.note(format!("what was built is in {}", kept.display())),
        })
        .collect()
}

fn fresh(paths: &Paths, revision: &str) -> Result<TempDir, CtlError> {
    let above = paths.cache.join("rebuild");
    fs::create_dir_all(&above).map_err(CtlError::io("make", &above))?;
    let start = revision.get(..12).unwrap_or(revision);
    tempfile::Builder::new()
        .prefix(&format!("{start}-"))
        .tempdir_in(&above)
        .map_err(CtlError::io("make a folder in", &above))
}

fn build(context: &Context, paths: &Paths, revision: &str, folder: &Path) -> Result<(), String> {
    let source = folder.join("source");
    Step::during("clone the commit", |step| {
        let mut clone = git();
        clone
            .args(["clone", "--quiet", "--shared", "--no-checkout"])
            .arg(&paths.root)
            .arg(&source);
        done(clone, step, "git clone")?;
        let mut checkout = git();
        checkout
            .args(["checkout", "--quiet", "--detach", revision])
            .current_dir(&source);
        done(checkout, step, "git checkout")
    })?;
    let mut twist = Command::new("./twist");
    twist
        .args(["build", "--out"])
        .arg(folder.join("dist"))
        .current_dir(&source)
        .env_remove("TWIST_ROOT")
        .env("TWIST_CACHE_DIR", folder.join("cache"))
        .env("CARGO_TARGET_DIR", folder.join("target"));
    if let Some(modules) = npm_packages(context, paths) {
        twist.env("TWIST_NODE_MODULES", modules);
    }
    if let Ok(node) = tools::node(paths) {
        twist.env("TWIST_NODE", node);
    }
    Step::during("build the commit again", |step| {
        done(twist, step, "./twist build")
    })
}

/// git that does not do what the person's settings say.
fn git() -> Command {
    let mut command = Command::new("git");
    command.args([
        "-c",
        "core.autocrlf=false",
        "-c",
        "core.hooksPath=/dev/null",
    ]);
    command
}

fn done(command: Command, step: &Step, what: &str) -> Result<(), String> {
    let ended = watch(command, |line| step.detail(line)).map_err(|error| failed(what, &error))?;
    if ended.ok {
        Ok(())
    } else {
        Err(format!("{what} failed: {}", tail(&ended.output)))
    }
}

/// The npm packages that are installed, if they are those of the commit: the lock names each by its hash.
fn npm_packages(context: &Context, paths: &Paths) -> Option<std::path::PathBuf> {
    let installed = paths.node_modules();
    // `./twist` keeps the lock that it installed.
    let lock = fs::read(installed.parent()?.join("installed-lock.json"))
        .or_else(|_| fs::read(paths.root.join(NPM_LOCK)))
        .ok()?;
    let wanted = context.manifest.draft().source.locks.get(NPM_LOCK)?;
    (installed.is_dir() && Sha256::of(&lock) == *wanted).then_some(installed)
}

/// A host build is only promised to be the same with the same tools.
fn same_tools(context: &Context, dist: &Path) -> Result<(), String> {
    let path = dist.join("release.json");
    let bytes =
        fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let rebuilt = Manifest::parse(&bytes)
        .map_err(|error| format!("the manifest of the rebuilt commit: {error}"))?;
    let (theirs, ours) = (
        &context.manifest.draft().toolchain,
        &rebuilt.draft().toolchain,
    );
    let names: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    let none = "none".to_owned();
    let differing: Vec<String> = names
        .into_iter()
        .filter(|name| theirs.get(*name) != ours.get(*name))
        .map(|name| {
            let of = |all: &'_ std::collections::BTreeMap<String, String>| {
                all.get(name).unwrap_or(&none).clone()
            };
            format!("{name} {} (the manifest's: {})", of(ours), of(theirs))
        })
        .collect();
    if differing.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "this machine has other tools than the manifest names: {}",
            differing.join("; ")
        ))
    }
}
