//! The tools that are not ours: where they are and which version.

use crate::run::ask;
use crate::{CtlError, Paths};
use std::env;
use std::path::PathBuf;
use std::process::Command;

/// cargo in the checkout, as if it had been typed there.
///
/// `cargo run` and `cargo test` tell their children which package they belong to, and a build script that
/// asks for those variables (ring's does) would make everything above it be compiled again, here and then
/// once more on the next command of the person.
pub(crate) fn cargo(paths: &Paths) -> Command {
    const OF_A_PACKAGE: [&str; 5] = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_NAME",
        "CARGO_PRIMARY_PACKAGE",
    ];
    let mut command = Command::new("cargo");
    command
        .current_dir(&paths.root)
        .env("CARGO_TARGET_DIR", paths.target());
    for (name, _) in env::vars_os() {
        let of_a_package = name
            .to_str()
            .is_some_and(|name| OF_A_PACKAGE.iter().any(|prefix| name.starts_with(prefix)));
        if of_a_package {
            command.env_remove(name);
        }
    }
    command
}

/// Nix in the checkout, with flakes. `TWIST_NIXPKGS` names a nixpkgs to use offline in place of the locked one.
pub(crate) fn nix(paths: &Paths, subcommand: &[&str]) -> Command {
    let mut command = Command::new("nix");
    command
        .args(["--extra-experimental-features", "nix-command flakes"])
        .args(subcommand)
        .current_dir(&paths.root);
    if let Ok(nixpkgs) = env::var("TWIST_NIXPKGS") {
        command.args(["--offline", "--no-write-lock-file"]);
        command.args(["--override-input", "nixpkgs", &format!("path:{nixpkgs}")]);
    }
    command
}

/// The compiler for wasm32, where it is not the toolchain's own: `./twist` makes one from Debian's packages
/// when rustup cannot fetch the target. It has no clippy.
pub(crate) fn wasm_rustc() -> Option<PathBuf> {
    env::var_os("TWIST_WASM_RUSTC").map(PathBuf::from)
}

/// The oldest Node.js that the local Workers runtime takes.
pub(crate) const NODE_AT_LEAST: u32 = 22;

/// Node.js: `TWIST_NODE`, the machine's if it is new enough, or the one `./twist` put into the cache.
pub(crate) fn node(paths: &Paths) -> Result<PathBuf, CtlError> {
    let named = env::var_os("TWIST_NODE").map(PathBuf::from);
    let cached = cached_node(paths);
    [named, stack::binaries::on_path("node"), Some(cached)]
        .into_iter()
        .flatten()
        .find(|node| node_version(node).is_some_and(|major| major >= NODE_AT_LEAST))
        .ok_or_else(|| {
            CtlError::Help(format!(
                "Node.js {NODE_AT_LEAST} or newer was not found; run ./twist, which sets it up, or set TWIST_NODE"
            ))
        })
}

/// Where `./twist` puts Node.js when the machine's is too old.
fn cached_node(paths: &Paths) -> PathBuf {
    let arch = match env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "x64",
    };
    paths
        .cache
        .join(format!("node-bin/node_modules/node-linux-{arch}/bin/node"))
}

fn node_version(node: &PathBuf) -> Option<u32> {
    let printed = ask(node, &["--version"])?;
    printed.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// esbuild: `ESBUILD_BIN`, or npm's for this machine.
pub(crate) fn esbuild(paths: &Paths) -> Result<PathBuf, CtlError> {
    let arch = match env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "x64",
    };
    let npm = paths
        .node_modules()
        .join(format!("@esbuild/linux-{arch}/bin/esbuild"));
    named_or("ESBUILD_BIN", npm)
}

/// wasm-opt: `WASM_OPT_BIN`, or npm's.
pub(crate) fn wasm_opt(paths: &Paths) -> Result<PathBuf, CtlError> {
    named_or(
        "WASM_OPT_BIN",
        paths.node_modules().join("binaryen/bin/wasm-opt"),
    )
}

fn named_or(variable: &str, fallback: PathBuf) -> Result<PathBuf, CtlError> {
    let file = env::var_os(variable).map_or(fallback, PathBuf::from);
    if file.is_file() {
        return Ok(file);
    }
    Err(CtlError::Help(format!(
        "{} does not exist; run ./twist, which installs the npm packages, or set {variable}",
        file.display()
    )))
}
