//! Compilers that do not tell where, when and by whom something was compiled.

use crate::Paths;
use crate::build::environment;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// 1980-01-01, the oldest time that every archive format can hold. For tools that insist on a date.
const NO_TIME: &str = "315532800";

/// Folders and the names that artifacts know them by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remap(Vec<(PathBuf, &'static str)>);

impl Remap {
    /// For a build into `target`.
    pub(crate) fn new(paths: &Paths, target: &Path) -> Self {
        Self::of(&paths.root, &cargo_home(), target)
    }

    fn of(root: &Path, cargo_home: &Path, target: &Path) -> Self {
        let mut folders = vec![
            (root.to_owned(), "/twist"),
            (cargo_home.to_owned(), "/cargo"),
            (target.to_owned(), "/target"),
        ];
        // The last that fits counts, so a folder has to come after those that it lies in.
        folders.sort_by_key(|(folder, _)| folder.as_os_str().len());
        Self(folders)
    }

    /// For `CARGO_ENCODED_RUSTFLAGS`, where a space in a path does no harm.
    pub(crate) fn rustflags(&self) -> OsString {
        self.joined("--remap-path-prefix=", "\u{1f}", |folder| {
            folder.as_os_str().to_owned()
        })
    }

    /// For `CFLAGS`, read by the `cc` crate, which is told to unquote.
    pub(crate) fn cflags(&self) -> OsString {
        self.joined("-ffile-prefix-map=", " ", |folder| {
            let text = folder.display().to_string();
            format!("'{}'", text.replace('\'', r"'\''")).into()
        })
    }

    /// Sets everything that the output could depend on, and leaves out the rest of the environment.
    pub(crate) fn apply(&self, command: &mut Command) {
        self.apply_over(command, env::vars_os());
    }

    fn apply_over(
        &self,
        command: &mut Command,
        inherited: impl Iterator<Item = (OsString, OsString)>,
    ) {
        command
            .env("CARGO_ENCODED_RUSTFLAGS", self.rustflags())
            .env("CFLAGS", self.cflags())
            .env("CXXFLAGS", self.cflags())
            .env("CC_SHELL_ESCAPED_FLAGS", "1")
            .env("SOURCE_DATE_EPOCH", NO_TIME)
            .env("LC_ALL", "C")
            .env("TZ", "UTC");
        use_rustc(command);
        environment::clean_of(command, inherited);
    }

    fn joined(&self, option: &str, separator: &str, write: impl Fn(&Path) -> OsString) -> OsString {
        let mut text = OsString::new();
        for (folder, name) in &self.0 {
            if !text.is_empty() {
                text.push(separator);
            }
            text.push(option);
            text.push(write(folder));
            text.push("=");
            text.push(name);
        }
        text
    }
}

/// The compiler whose version the manifest names. cargo would look for itself, and rustup's cargo finds
/// rustup's compiler before the others.
pub(super) fn rustc() -> PathBuf {
    stack::binaries::on_path("rustc").unwrap_or_else(|| PathBuf::from("rustc"))
}

/// Lets cargo use that one.
pub(super) fn use_rustc(command: &mut Command) {
    command.env("RUSTC", rustc());
}

/// Where cargo keeps the sources of dependencies.
pub(crate) fn cargo_home() -> PathBuf {
    env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::environment::tests::LEAKS;
    use std::ffi::OsStr;

    #[test]
    fn no_variable_of_the_person_reaches_the_compiler() {
        let remap = Remap::of(Path::new("/a"), Path::new("/b"), Path::new("/c"));
        let mut command = Command::new("cargo");
        command.env("CARGO_TARGET_DIR", "/c");
        let leaks = LEAKS.map(|name| (name.into(), OsString::from("/theirs")));
        remap.apply_over(&mut command, leaks.into_iter());
        let envs: Vec<(&OsStr, Option<&OsStr>)> = command.get_envs().collect();
        for name in LEAKS {
            let (_, value) = envs.iter().find(|(found, _)| *found == name).unwrap();
            match name {
                "RUSTC" => assert_eq!(*value, Some(rustc().as_os_str())),
                _ => assert_eq!(*value, None, "{name}"),
            }
        }
        let target = (OsStr::new("CARGO_TARGET_DIR"), Some(OsStr::new("/c")));
        assert!(envs.contains(&target), "{envs:?}");
        let ours = remap.cflags();
        assert!(envs.contains(&(OsStr::new("CFLAGS"), Some(ours.as_os_str()))));
    }

    #[test]
    fn a_folder_within_another_gets_its_own_name() {
        let remap = Remap::of(
            Path::new("/home/u/twist"),
            Path::new("/home/u/twist/.cargo-home"),
            Path::new("/home/u/twist/target"),
        );
        assert_eq!(
            remap
                .rustflags()
                .to_str()
                .unwrap()
                .split('\u{1f}')
                .collect::<Vec<_>>(),
            [
                "--remap-path-prefix=/home/u/twist=/twist",
                "--remap-path-prefix=/home/u/twist/target=/target",
                "--remap-path-prefix=/home/u/twist/.cargo-home=/cargo",
            ]
        );
    }

    #[test]
    fn a_space_or_quote_in_a_folder_does_not_split_a_flag() {
        let remap = Remap::of(
            Path::new("/a b"),
            Path::new("/it's"),
            Path::new("/target folder"),
        );
        assert_eq!(
            remap.cflags().to_str().unwrap(),
            r"-ffile-prefix-map='/a b'=/twist -ffile-prefix-map='/it'\''s'=/cargo -ffile-prefix-map='/target folder'=/target"
        );
        assert_eq!(
            remap
                .rustflags()
                .to_str()
                .unwrap()
                .matches('\u{1f}')
                .count(),
            2
        );
    }
}
