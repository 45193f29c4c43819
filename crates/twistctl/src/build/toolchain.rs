//! Which versions of which tools build, and whether they are those that the locks ask for.

use crate::build::remap::rustc;
use crate::build::{Profile, environment};
use crate::run::ask;
use crate::{CtlError, Paths, tools};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

/// Versions by tool, as the manifest records them.
pub(crate) type Versions = BTreeMap<String, String>;

/// Asks every tool; an error when one is missing or is not the locked version.
pub(crate) fn checked(paths: &Paths, profile: Profile) -> Result<Versions, CtlError> {
    if profile == Profile::Dev {
        no_other_rustc(|name| env::var_os(name).is_some())?;
    }
    let locked = Locked::read(&paths.root)?;
    let mut versions = Versions::new();
    let mut record = |name: &str, version: String| versions.insert(name.to_owned(), version);

    let rustc = version_of(paths, rustc(), Shape::SecondWord)?;
    require("rustc", &rustc, &locked.rust, "rust-toolchain.toml")?;
    record("rustc", rustc);
    if let Some(wasm) = tools::wasm_rustc() {
        record("rustc-wasm32", version_of(paths, wasm, Shape::SecondWord)?);
    }
    record("cargo", version_of(paths, "cargo", Shape::SecondWord)?);
    record("cc", version_of(paths, "cc", Shape::FirstLine)?);
    record("ld", version_of(paths, "ld", Shape::FirstLine)?);
    record(
        "node",
        version_of(paths, tools::node(paths)?, Shape::FirstLine)?,
    );

    let esbuild = version_of(paths, tools::esbuild(paths)?, Shape::FirstLine)?;
    require("esbuild", &esbuild, &locked.esbuild, NPM_LOCK)?;
    record("esbuild", esbuild);
    let binaryen = wasm_opt_version(paths)?;
    // binaryen itself has one number; npm's package appends `.0.0`.
    let wanted = locked.binaryen.split('.').next().unwrap_or_default();
    require("binaryen", &binaryen, wanted, NPM_LOCK)?;
    record("binaryen", binaryen);
    record("wasm-bindgen", locked.wasm_bindgen);
    Ok(versions)
}

const NPM_LOCK: &str = "edge/package-lock.json";

/// The part of a `--version` answer that is the version.
#[derive(Clone, Copy)]
enum Shape {
    /// `rustc 1.95.0 (…)`.
    SecondWord,
    /// Compilers and linkers of distributions: what comes after the number matters too.
    FirstLine,
}

fn version_of(paths: &Paths, tool: impl AsRef<Path>, shape: Shape) -> Result<String, CtlError> {
    let missing = || {
        CtlError::Help(format!(
            "{} does not tell its version; run ./twist doctor",
            tool.as_ref().display()
        ))
    };
    let printed = printed(&paths.root, tool.as_ref().as_os_str()).ok_or_else(missing)?;
    let line = printed.lines().next().unwrap_or_default();
    let part = match shape {
        Shape::SecondWord => line.split_whitespace().nth(1),
        Shape::FirstLine => Some(line),
    };
    part.map(str::to_owned)
        .filter(|part| !part.is_empty())
        .ok_or_else(missing)
}

/// In the checkout, by which rustup chooses, and in the environment of a build.
fn printed(root: &Path, tool: &OsStr) -> Option<String> {
    let mut command = Command::new(tool);
    command
        .arg("--version")
        .current_dir(root)
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    environment::clean(&mut command);
    let output = command.output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A development build is in the person's environment, where another compiler than the one on the `PATH` can be
/// named. A release build leaves these variables out.
fn no_other_rustc(is_set: impl Fn(&str) -> bool) -> Result<(), CtlError> {
    match ["RUSTC", "CARGO_BUILD_RUSTC"]
        .into_iter()
        .find(|name| is_set(name))
    {
        None => Ok(()),
        Some(name) => Err(CtlError::Help(format!(
            "{name} names another compiler than the one whose version the manifest would say: unset it"
        ))),
    }
}

/// `wasm-opt version 132 (version_132)`.
fn wasm_opt_version(paths: &Paths) -> Result<String, CtlError> {
    let tool = tools::wasm_opt(paths)?;
    let node = tools::node(paths)?;
    // npm's is a script for node; any other runs by itself.
    let script = fs::read(&tool).is_ok_and(|bytes| {
        bytes.starts_with(b"#!") && bytes.windows(4).take(64).any(|w| w == b"node")
    });
    let printed = if script {
        let path = tool.display().to_string();
        ask(node, &[&path, "--version"])
    } else {
        ask(tool.clone(), &["--version"])
    };
    printed
        .as_deref()
        .and_then(|text| {
            text.split_whitespace()
                .skip_while(|word| *word != "version")
                .nth(1)
        })
        .map(str::to_owned)
        .ok_or_else(|| {
            CtlError::Help(format!(
                "{} does not tell its version; run ./twist doctor",
                tool.display()
            ))
        })
}

fn require(tool: &str, found: &str, wanted: &str, lock: &str) -> Result<(), CtlError> {
    if found == wanted {
        return Ok(());
    }
    let how = match tool {
        "rustc" => "run ./twist, which installs it, or unset RUSTUP_TOOLCHAIN",
        _ => {
            "run ./twist, which installs the locked npm packages, and unset ESBUILD_BIN and WASM_OPT_BIN if they are set"
        }
    };
    Err(CtlError::Help(format!(
        "{tool} is version {found}, but {lock} asks for {wanted}: {how}"
    )))
}

/// What the locks of the checkout ask for.
#[derive(Debug, PartialEq, Eq)]
struct Locked {
    rust: String,
    esbuild: String,
    binaryen: String,
    wasm_bindgen: String,
}

impl Locked {
    fn read(root: &Path) -> Result<Self, CtlError> {
        let text = |name: &str| {
            let path = root.join(name);
            fs::read_to_string(&path).map_err(CtlError::io("read", &path))
        };
        Self::parse(
            &text("rust-toolchain.toml")?,
            &text("Cargo.lock")?,
            &text(NPM_LOCK)?,
        )
    }

    fn parse(toolchain: &str, cargo: &str, npm: &str) -> Result<Self, CtlError> {
        let unreadable = |file: &str, why: &dyn std::fmt::Display| {
            CtlError::Help(format!("{file} cannot be read: {why}"))
        };
        let toolchain: ToolchainFile =
            toml::from_str(toolchain).map_err(|e| unreadable("rust-toolchain.toml", &e))?;
        let cargo: CargoLock = toml::from_str(cargo).map_err(|e| unreadable("Cargo.lock", &e))?;
        let npm: NpmLock = serde_json::from_str(npm).map_err(|e| unreadable(NPM_LOCK, &e))?;
        let package = |name: &str| {
            let key = format!("node_modules/{name}");
            npm.packages
                .get(&key)
                .and_then(|package| package.version.clone())
                .ok_or_else(|| {
                    CtlError::Help(format!(
                        "{NPM_LOCK} does not lock {name}: run npm install in edge/"
                    ))
                })
        };
        Ok(Self {
            rust: toolchain.toolchain.channel,
            esbuild: package("esbuild")?,
            binaryen: package("binaryen")?,
            wasm_bindgen: wasm_bindgen(&cargo)?,
        })
    }
}

/// The macros in the Worker and the library in the bundler must be of one version: their format has no other.
fn wasm_bindgen(lock: &CargoLock) -> Result<String, CtlError> {
    let versions = |name: &str| -> Vec<&str> {
        let found = lock.package.iter().filter(|package| package.name == name);
        found.map(|package| package.version.as_str()).collect()
    };
    match (
        versions("wasm-bindgen").as_slice(),
        versions("wasm-bindgen-cli-support").as_slice(),
    ) {
        ([macros], [library]) if macros == library => Ok((*macros).to_owned()),
        (macros, library) => Err(CtlError::Help(format!(
            "Cargo.lock has wasm-bindgen {} and wasm-bindgen-cli-support {}, which must be one and the same version: \
             run cargo update -p wasm-bindgen --precise with the version of edge/bundler/Cargo.toml",
            macros.join(", "),
            library.join(", ")
        ))),
    }
}

#[derive(Deserialize)]
struct ToolchainFile {
    toolchain: Toolchain,
}

#[derive(Deserialize)]
struct Toolchain {
    channel: String,
}

#[derive(Deserialize)]
struct CargoLock {
    package: Vec<LockedPackage>,
}

#[derive(Deserialize)]
struct LockedPackage {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct NpmLock {
    packages: BTreeMap<String, NpmPackage>,
}

#[derive(Deserialize)]
struct NpmPackage {
    version: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOLCHAIN: &str = "[toolchain]\nchannel = \"1.95.0\"\n";
    const NPM: &str = r#"{"packages": {"": {}, "node_modules/esbuild": {"version": "0.28.2"}, "node_modules/binaryen": {"version": "132.0.0"}}}"#;

    fn lock(macros: &str, library: &str) -> String {
        format!(
            "version = 4\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"{macros}\"\n\
             [[package]]\nname = \"wasm-bindgen-cli-support\"\nversion = \"{library}\"\n"
        )
    }

    #[test]
    fn the_locked_versions_are_found() {
        let locked = Locked::parse(TOOLCHAIN, &lock("0.2.129", "0.2.129"), NPM).unwrap();
        assert_eq!(locked.rust, "1.95.0");
        assert_eq!(locked.esbuild, "0.28.2");
        assert_eq!(locked.binaryen, "132.0.0");
        assert_eq!(locked.wasm_bindgen, "0.2.129");
    }

    #[test]
    fn macros_and_bundler_of_unlike_wasm_bindgens_are_refused() {
        let error = Locked::parse(TOOLCHAIN, &lock("0.2.130", "0.2.129"), NPM).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("0.2.130") && text.contains("0.2.129"),
            "{text}"
        );
    }

    #[test]
    fn a_tool_of_another_version_is_refused_with_a_way_out() {
        let error = require("esbuild", "0.20.0", "0.28.2", NPM_LOCK).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("0.20.0")
                && text.contains("asks for 0.28.2")
                && text.contains("run ./twist"),
            "{text}"
        );
        require("esbuild", "0.28.2", "0.28.2", NPM_LOCK).unwrap();
    }

    #[test]
    fn a_development_build_by_a_compiler_that_is_not_recorded_is_refused() {
        no_other_rustc(|_| false).unwrap();
        for set in ["RUSTC", "CARGO_BUILD_RUSTC"] {
            let error = no_other_rustc(|name| name == set).unwrap_err().to_string();
            assert!(error.starts_with(set), "{error}");
        }
    }

    #[test]
    fn the_tools_of_this_machine_are_those_of_the_locks() {
        let paths = Paths::discover().unwrap();
        let versions = checked(&paths, Profile::Release).unwrap();
        for tool in [
            "rustc",
            "cargo",
            "cc",
            "ld",
            "node",
            "esbuild",
            "binaryen",
            "wasm-bindgen",
        ] {
            assert!(versions.contains_key(tool), "{tool} is missing");
        }
    }
}
