//! The Workers: each crate compiled to wasm32, then made deployable.

use crate::build::environment;
use crate::build::remap::Remap;
use crate::run::watch;
use crate::ui::Step;
use crate::{CtlError, Paths, tools};
use sha2::{Digest, Sha256};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";
/// The crates of the Workers.
pub(crate) const CRATES: [&str; 2] = ["security-worker", "vau-processor"];
const STAMP: &str = ".inputs";

/// Makes the bundles of all Workers; returns the folder that has a folder for each.
pub(crate) fn build(paths: &Paths, bundler: &Path, step: &Step) -> Result<PathBuf, CtlError> {
    for name in CRATES {
        one(paths, bundler, name, step)?;
    }
    Ok(paths.bundles())
}

fn one(paths: &Paths, bundler: &Path, name: &str, step: &Step) -> Result<(), CtlError> {
    let wasm = compile(paths, name, step)?;
    let out = paths.bundles().join(format!("edge-{name}"));
    fs::create_dir_all(&out).map_err(CtlError::io("make", &out))?;
    // Two builds at once would mix their files.
    let lock_path = paths.cache.join("dist/.lock");
    let lock = File::create(&lock_path).map_err(CtlError::io("open", &lock_path))?;
    lock.lock().map_err(CtlError::io("lock", &lock_path))?;
    let (esbuild, wasm_opt) = (tools::esbuild(paths)?, tools::wasm_opt(paths)?);
    let inputs = digest(&[
        &wasm,
        bundler,
        &esbuild,
        &wasm_opt,
        &paths.root.join("edge/package-lock.json"),
    ])?;
    let stamp = out.join(STAMP);
    let complete = ["index.js", "index_bg.wasm"].map(|name| out.join(name).is_file());
    if complete == [true, true] && fs::read_to_string(&stamp).is_ok_and(|old| old == inputs) {
        return Ok(());
    }
    step.detail("bundling");
    let mut command = Command::new(bundler);
    command
        .arg("--wasm")
        .arg(&wasm)
        .arg("--out")
        .arg(&out)
        .env("ESBUILD_BIN", esbuild)
        .env("WASM_OPT_BIN", wasm_opt)
        .env("PATH", path_with_node(paths)?);
    environment::clean(&mut command);
    let ended = watch(command, |line| step.detail(line))?;
    if !ended.ok {
        return Err(CtlError::Tool {
            what: format!("bundling {name}"),
            output: ended.output,
        });
    }
    fs::write(&stamp, inputs).map_err(CtlError::io("write", &stamp))
}

/// By itself: cargo gives a dependency the features of every package it was asked for.
fn compile(paths: &Paths, name: &str, step: &Step) -> Result<PathBuf, CtlError> {
    let mut command = cargo(paths);
    command.args(["build", "--locked", "--profile", "wasm"]);
    command.args(["--target", WASM_TARGET, "-p", name]);
    let ended = watch(command, |line| step.detail(line))?;
    if !ended.ok {
        return Err(CtlError::Tool {
            what: format!("compiling {name}"),
            output: ended.output,
        });
    }
    Ok(paths
        .target_wasm()
        .join(WASM_TARGET)
        .join("wasm")
        .join(format!("{}.wasm", name.replace('-', "_"))))
}

/// cargo for wasm32. A module must not tell where it was compiled.
pub(crate) fn cargo(paths: &Paths) -> Command {
    let target = paths.target_wasm();
    let mut command = tools::cargo(paths);
    command.env("CARGO_TARGET_DIR", &target);
    Remap::new(paths, &target).apply(&mut command);
    if let Some(rustc) = tools::wasm_rustc() {
        command.env("RUSTC", rustc);
    }
    command
}

/// npm's wasm-opt is a script that looks for `node`.
fn path_with_node(paths: &Paths) -> Result<std::ffi::OsString, CtlError> {
    let node = tools::node(paths)?;
    let folder = node.parent().map(Path::to_owned);
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(folder.into_iter().chain(env::split_paths(&path)))
        .map_err(|error| CtlError::Help(format!("PATH cannot be used: {error}")))
}

fn digest(files: &[&Path]) -> Result<String, CtlError> {
    let mut hash = Sha256::new();
    for file in files {
        let bytes = fs::read(file).map_err(CtlError::io("read", file))?;
        hash.update(Sha256::digest(&bytes));
    }
    Ok(hex::encode(hash.finalize()))
}
