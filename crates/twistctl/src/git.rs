//! git, asked for facts: it says the same whatever the person has set up.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};

/// git in `root` that does not do what the person's settings and environment say.
pub(crate) fn git(root: &Path) -> Command {
    without(root, env::vars_os().map(|(name, _)| name))
}

fn without(root: &Path, inherited: impl Iterator<Item = OsString>) -> Command {
    let mut command = Command::new("git");
    let of_git = |name: &OsStr| name.to_str().is_some_and(|name| name.starts_with("GIT_"));
    for name in inherited.filter(|name| of_git(name)) {
        command.env_remove(name);
    }
    command
        .current_dir(root)
        // A checkout that another user owns is only read.
        .args(["-c", "safe.directory=*"])
        .args(["-c", "status.showUntrackedFiles=all"])
        .args(["-c", "core.fsmonitor=false"])
        .args(["-c", "core.untrackedCache=false"])
        .args(["-c", "core.excludesFile="])
        .args(["-c", "core.attributesFile="])
        .args(["-c", "core.autocrlf=false"])
        .args(["-c", "core.hooksPath=/dev/null"])
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    command
}

/// For tests: a command that has to succeed, by somebody who can commit. Returns what it prints.
#[cfg(test)]
pub(crate) fn test(folder: &Path, args: &[&str]) -> String {
    let done = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_cannot_point_git_at_another_repository() {
        let names = ["GIT_DIR", "GIT_INDEX_FILE", "GIT_CONFIG_COUNT", "PATH"];
        let command = without(Path::new("/"), names.into_iter().map(OsString::from));
        let removed: Vec<&OsStr> = command
            .get_envs()
            .filter_map(|(name, value)| value.is_none().then_some(name))
            .collect();
        assert_eq!(removed, ["GIT_CONFIG_COUNT", "GIT_DIR", "GIT_INDEX_FILE"]);
    }
}
