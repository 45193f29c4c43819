//! The configuration files of cargo outside the checkout. They apply to every build below them, and the commit
//! does not know of them.

use crate::build::{Profile, cargo_home};
use crate::{CtlError, Paths};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Whole tables that decide where things come from and how cargo talks, not what is compiled: whatever the
/// source, a crate has to be the one of Cargo.lock.
const HARMLESS: [&str; 13] = [
    "alias",
    "cache",
    "cargo-new",
    "credential-alias",
    "doc",
    "future-incompat-report",
    "http",
    "install",
    "net",
    "registries",
    "registry",
    "source",
    "term",
];
/// Settings of `[build]` that do not matter; the target folder is given by the environment.
const HARMLESS_OF_BUILD: [&str; 4] = ["jobs", "rustdoc", "rustdocflags", "target-dir"];
/// The same of `[target.…]`.
const HARMLESS_OF_A_TARGET: [&str; 2] = ["runner", "rustdocflags"];

/// Refuses settings that change code. A development build is nobody else's, but it has to be by the compiler
/// that the manifest names.
pub(super) fn check(paths: &Paths, profile: Profile) -> Result<(), CtlError> {
    for file in files(&paths.root, &cargo_home()) {
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                continue;
            }
            Err(error) => return Err(CtlError::io("read", &file)(error)),
        };
        let keys = changing(&text)
            .map_err(|why| CtlError::Help(format!("{} cannot be read: {why}", file.display())))?;
        let wrong = |key: &String| profile == Profile::Release || key == "build.rustc";
        if let Some(key) = keys.into_iter().find(wrong) {
            return Err(CtlError::Help(format!(
                "{} sets {key}, which changes what is compiled and is not in the commit: take it out, or build with another CARGO_HOME and in another folder",
                file.display()
            )));
        }
    }
    Ok(())
}

/// Where cargo looks, but for the checkout itself, whose file is in the commit.
fn files(root: &Path, cargo_home: &Path) -> BTreeSet<PathBuf> {
    let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    root.ancestors()
        .skip(1)
        .map(|folder| folder.join(".cargo"))
        .chain([cargo_home.to_owned()])
        .flat_map(|folder| ["config", "config.toml"].map(|name| folder.join(name)))
        .collect()
}

/// The keys that could change code: all that are not known to be harmless.
fn changing(text: &str) -> Result<Vec<String>, toml::de::Error> {
    let config: toml::Table = toml::from_str(text)?;
    let mut keys = Vec::new();
    for (name, value) in &config {
        match (name.as_str(), value) {
            (name, _) if HARMLESS.contains(&name) => {}
            ("build", toml::Value::Table(settings)) => {
                keys.extend(others("build", settings, &HARMLESS_OF_BUILD));
            }
            ("target", toml::Value::Table(targets)) => {
                for (target, settings) in targets {
                    let at = format!("target.{target}");
                    match settings {
                        toml::Value::Table(settings) => {
                            keys.extend(others(&at, settings, &HARMLESS_OF_A_TARGET));
                        }
                        _ => keys.push(at),
                    }
                }
            }
            (name, toml::Value::Table(settings)) => {
                keys.extend(others(name, settings, &[]));
            }
            (name, _) => keys.push(name.to_owned()),
        }
    }
    Ok(keys)
}

fn others(at: &str, settings: &toml::Table, harmless: &[&str]) -> Vec<String> {
    let keys = settings.keys().map(String::as_str);
    keys.filter(|key| !harmless.contains(key))
        .map(|key| format!("{at}.{key}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_changes_code_is_named() {
        for (text, key) in [
            (
                "[build]\nrustflags = [\"-Ctarget-cpu=native\"]",
                "build.rustflags",
            ),
            ("[build]\nrustc = \"/mine\"", "build.rustc"),
            ("build.rustc-wrapper = \"sccache\"", "build.rustc-wrapper"),
            ("[build]\ntarget = \"x\"", "build.target"),
            (
                "[target.x86_64-unknown-linux-gnu]\nlinker = \"mold\"",
                "target.x86_64-unknown-linux-gnu.linker",
            ),
            (
                "[target.'cfg(all())']\nrustflags = \"-C x\"",
                "target.cfg(all()).rustflags",
            ),
            ("[profile.release]\nlto = false", "profile.release"),
            ("[env]\nCFLAGS = \"-O0\"", "env.CFLAGS"),
            ("paths = [\"/mine\"]", "paths"),
            ("include = \"more.toml\"", "include"),
            (
                "[patch.crates-io]\nring = { path = \"/mine\" }",
                "patch.crates-io",
            ),
        ] {
            assert_eq!(changing(text).unwrap(), [key], "{text}");
        }
        changing("[build").unwrap_err();
    }

    #[test]
    fn a_mirror_and_a_proxy_are_no_obstacle() {
        let text = "[source.crates-io]\nreplace-with = 'mirror'\n[source.mirror]\nregistry = 'sparse+https://mirror.example/'\n\
            [net]\nretry = 5\n[http]\nproxy = 'p'\n[registries.r]\nindex = 'i'\n[alias]\nb = 'build'\n[term]\ncolor = 'never'\n\
            [build]\njobs = 2\n[target.x]\nrunner = 'qemu'\n";
        assert!(changing(text).unwrap().is_empty());
    }

    #[test]
    fn the_file_of_a_folder_above_the_checkout_is_found() {
        let above = tempfile::tempdir().unwrap();
        let root = above.path().join("a/twist");
        fs::create_dir_all(&root).unwrap();
        let file = above.path().join(".cargo/config.toml");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let paths = Paths {
            cache: root.join("cache"),
            state: root.join("state"),
            root,
        };
        fs::write(&file, "[http]\ntimeout = 3\n").unwrap();
        check(&paths, Profile::Release).unwrap();

        fs::write(&file, "[profile.release]\nopt-level = 0\n").unwrap();
        let text = check(&paths, Profile::Release).unwrap_err().to_string();
        assert!(
            text.contains("profile.release") && text.contains(".cargo/config.toml"),
            "{text}"
        );
        check(&paths, Profile::Dev).unwrap();

        fs::write(&file, "[build]\nrustc = '/mine'\n").unwrap();
        check(&paths, Profile::Dev).unwrap_err();
    }
}
