//! Without Nix: a fresh clone of the checkout at the manifest's commit, built by its own `./twist build`.
//!
//! By its own, not by this program: how a commit is built is a part of the commit, and another version of
//! this program may know other rules. The sources, the target folder, the cache with its npm packages and
//! `CARGO_HOME` with its unpacked crates are new. Shared with other builds are the tools, npm's store of
//! downloads, of which npm checks every file by the hash in the lock, cargo's index, and the archives of crates,
//! which are checked here by the hashes in the lock: cargo does so only when it downloads.

use super::{LEG, failed, none_checked, tail};
use crate::build::cargo_home;
use crate::git::git;
use crate::reproduce::seed;
use crate::run::watch;
use crate::ui::Step;
use crate::verify::{Context, Row};
use crate::{CtlError, Paths, tools};
use attest::{Artifact, Manifest, Sha256, Verdict};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::{env, fs};
use tempfile::TempDir;

/// Where the programs of the Nix shell are: nobody can change them.
const NIX_STORE: &str = "/nix/store/";

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
    if let Err(why) = build(paths, revision, folder.path()) {
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

fn build(paths: &Paths, revision: &str, folder: &Path) -> Result<(), String> {
    let source = folder.join("source");
    Step::during("clone the commit", |step| {
        let mut clone = git(folder);
        clone
            .args([
                "clone",
                "--quiet",
                "--shared",
                "--no-checkout",
                "--template=",
            ])
            .arg(&paths.root)
            .arg(&source);
        done(clone, step, "git clone")?;
        let mut checkout = git(&source);
        checkout.args(["checkout", "--quiet", "--detach", revision]);
        done(checkout, step, "git checkout")
    })?;
    let twist = twist(paths, folder, &source, &cargo_home())
        .map_err(|error| failed("a CARGO_HOME to build with", &error))?;
    Step::during("build the commit again", |step| {
        done(twist, step, "./twist build")
    })
}

/// `./twist build` in `source` with folders of its own in `folder`.
fn twist(paths: &Paths, folder: &Path, source: &Path, cargo: &Path) -> Result<Command, CtlError> {
    let own = folder.join("cargo-home");
    seed(cargo, &own)?;
    let lock = fs::read_to_string(source.join("Cargo.lock")).unwrap_or_default();
    keep_locked(&own.join("registry/cache"), &locked(&lock))?;
    let mut twist = Command::new("./twist");
    twist
        .args(["build", "--out"])
        .arg(folder.join("dist"))
        .current_dir(source)
        .env_remove("TWIST_ROOT")
        .env("CARGO_HOME", own)
        .env("TWIST_CACHE_DIR", folder.join("cache"))
        .env("CARGO_TARGET_DIR", folder.join("target"));
    for name in ["TWIST_NODE_MODULES", "ESBUILD_BIN", "WASM_OPT_BIN"] {
        let of_nix = |value: &std::ffi::OsString| Path::new(value).starts_with(NIX_STORE);
        if !env::var_os(name).as_ref().is_some_and(of_nix) {
            twist.env_remove(name);
        }
    }
    if let Ok(node) = tools::node(paths) {
        twist.env("TWIST_NODE", node);
    }
    Ok(twist)
}

/// The hashes of the archives that a Cargo.lock asks for, by file name. None of one that cannot be read: the
/// build will say so.
fn locked(lock: &str) -> BTreeMap<String, String> {
    #[derive(Deserialize, Default)]
    struct Lock {
        #[serde(default)]
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
        checksum: Option<String>,
    }
    let lock: Lock = toml::from_str(lock).unwrap_or_default();
    lock.package
        .into_iter()
        .filter_map(|package| {
            let file = format!("{}-{}.crate", package.name, package.version);
            Some((file, package.checksum?))
        })
        .collect()
}

/// Removes every archive of `cache` that is not one of the lock's. cargo downloads what it then lacks.
fn keep_locked(cache: &Path, locked: &BTreeMap<String, String>) -> Result<(), CtlError> {
    if !cache.exists() {
        return Ok(());
    }
    for registry in fs::read_dir(cache).map_err(CtlError::io("read", cache))? {
        let registry = registry.map_err(CtlError::io("read", cache))?.path();
        for archive in fs::read_dir(&registry).map_err(CtlError::io("read", &registry))? {
            let archive = archive.map_err(CtlError::io("read", &registry))?;
            let path = archive.path();
            let wanted = archive
                .file_name()
                .to_str()
                .and_then(|name| locked.get(name));
            let is_it = match wanted {
                Some(wanted) => {
                    let bytes = fs::read(&path).map_err(CtlError::io("read", &path))?;
                    Sha256::of(&bytes).to_string() == *wanted
                }
                None => false,
            };
            if !is_it {
                fs::remove_file(&path).map_err(CtlError::io("remove", &path))?;
            }
        }
    }
    Ok(())
}

fn done(command: Command, step: &Step, what: &str) -> Result<(), String> {
    let ended = watch(command, |line| step.detail(line)).map_err(|error| failed(what, &error))?;
    if ended.ok {
        Ok(())
    } else {
        Err(format!("{what} failed: {}", tail(&ended.output)))
    }
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
            let of = |all: &BTreeMap<String, String>| all.get(name).unwrap_or(&none).clone();
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    const GOOD: &str = "registry/cache/r/good-1.0.0.crate";
    const CHANGED: &str = "registry/cache/r/changed-1.0.0.crate";
    const OTHER: &str = "registry/cache/r/other-1.0.0.crate";
    const UNPACKED: &str = "registry/src/r/good-1.0.0/src/lib.rs";
    const INDEX: &str = "registry/index/r/config.json";

    #[test]
    fn what_lies_unpacked_or_was_changed_since_it_was_downloaded_is_not_built_again() {
        let top = tempfile::tempdir().unwrap();
        let cargo = top.path().join("theirs");
        for file in [GOOD, CHANGED, OTHER, UNPACKED, INDEX] {
            let path = cargo.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let source = top.path().join("source");
        fs::create_dir_all(&source).unwrap();
        let package = |name: &str, bytes: &str| {
            let sha256 = Sha256::of(bytes.as_bytes());
            format!(
                "[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\nchecksum = \"{sha256}\"\n"
            )
        };
        let lock = package("good", GOOD) + &package("changed", "what was downloaded");
        fs::write(source.join("Cargo.lock"), lock).unwrap();
        let paths = Paths {
            root: top.path().join("root"),
            cache: top.path().join("their cache"),
            state: top.path().join("state"),
        };
        let command = twist(&paths, top.path(), &source, &cargo).unwrap();

        let own = top.path().join("cargo-home");
        let is_there = |file: &str| own.join(file).exists();
        assert!(is_there(GOOD) && is_there(INDEX));
        assert!(!is_there(CHANGED), "not what the lock names");
        assert!(!is_there(OTHER) && !is_there(UNPACKED));
        assert!(cargo.join(CHANGED).exists(), "theirs is left alone");

        let envs: Vec<(&OsStr, Option<&OsStr>)> = command.get_envs().collect();
        let is =
            |name: &'static str, value: Option<&OsStr>| envs.contains(&(OsStr::new(name), value));
        assert!(is("CARGO_HOME", Some(own.as_os_str())), "{envs:?}");
        let cache = top.path().join("cache");
        assert!(is("TWIST_CACHE_DIR", Some(cache.as_os_str())), "{envs:?}");
        let of_nix = |name: &str| env::var(name).is_ok_and(|value| value.starts_with(NIX_STORE));
        for name in ["TWIST_NODE_MODULES", "ESBUILD_BIN", "WASM_OPT_BIN"] {
            assert!(is(name, None) != of_nix(name), "{name}: {envs:?}");
        }
    }
}
