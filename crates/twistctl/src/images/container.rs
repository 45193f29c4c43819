//! What a runtime does with an image's configuration, as a script: root, user, environment, entry point.

use crate::CtlError;
use serde::Deserialize;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// An unpacked image, and the program that starts it.
#[derive(Debug)]
pub(crate) struct Container {
    /// Runs the image's entry point; its arguments and environment are passed on.
    pub(crate) program: PathBuf,
    /// The user that the image names.
    pub(crate) user: u32,
    /// Its root.
    pub(crate) root: PathBuf,
}

#[derive(Deserialize)]
struct Config {
    config: Settings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    user: String,
    entrypoint: Vec<String>,
    #[serde(default)]
    env: Vec<String>,
}

impl Container {
    /// From the bytes of an image's configuration.
    pub(super) fn new(root: PathBuf, config: &[u8]) -> Result<Self, CtlError> {
        let wrong = |reason: String| {
            CtlError::Help(format!(
                "{}: the image's configuration: {reason}",
                root.display()
            ))
        };
        let Config { config } =
            serde_json::from_slice(config).map_err(|error| wrong(error.to_string()))?;
        let (user, group) = user(&config.user).ok_or_else(|| {
            wrong(format!(
                "{:?} is no user:group in numbers other than 0",
                config.user
            ))
        })?;
        let script = script(&root, user, group, &config);
        let program = root.with_extension("run");
        fs::create_dir_all(root.join("proc")).map_err(CtlError::io("make", &root))?;
        fs::write(&program, script).map_err(CtlError::io("write", &program))?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))
            .map_err(CtlError::io("set the mode of", &program))?;
        Ok(Self {
            program,
            user,
            root,
        })
    }
}

/// Numbers only: what `/etc/passwd` says is the image's business.
fn user(text: &str) -> Option<(u32, u32)> {
    let (user, group) = text.split_once(':')?;
    let (user, group) = (user.parse().ok()?, group.parse().ok()?);
    (user != 0 && group != 0).then_some((user, group))
}

/// Every step replaces the one before, so that the process that is started is the one that serves.
fn script(root: &Path, user: u32, group: u32, config: &Settings) -> String {
    let mut script = format!(
        "#!/bin/sh\nexport PATH=/usr/sbin:/usr/bin:/sbin:/bin\nroot={}\n",
        quoted(&root.display().to_string())
    );
    for variable in &config.env {
        let _ = writeln!(script, "export {}", quoted(variable));
    }
    let entry: Vec<String> = config.entrypoint.iter().map(|word| quoted(word)).collect();
    let _ = write!(
        script,
        "exec unshare --mount -- sh -euc '\n  \
           mount -t proc proc \"$0/proc\"\n  \
           cd \"$0\"\n  \
           exec setpriv --no-new-privs chroot --userspec={user}:{group} --groups={group} . \"$@\"\
           ' \"$root\" {} \"$@\"\n",
        entry.join(" ")
    );
    script
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
