//! `edge state`: the encrypted state of `edge/terraform` in a branch of the repository.
//!
//! `OpenTofu` encrypts before it writes; a file that is not encrypted is refused here. Pushing compares and swaps
//! twice: the branch must be where it was found, and this environment's file in it must be the one that was
//! pulled. Another environment's push in between is no conflict.

mod git;

use crate::edge::EdgeError;
use crate::ui;
use git::Git;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How often a push starts over because another environment was pushed.
const TRIES: u32 = 5;
/// The file beside the state that says which one was pulled.
const BASE: &str = "base";
/// What it says when there was none.
const NONE: &str = "none";

/// Which state, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// A folder inside a clone.
    pub repository: PathBuf,
    /// The remote's name or address.
    pub remote: String,
    /// The branch.
    pub branch: String,
    /// The environment, or `zone`.
    pub name: String,
    /// The file that `OpenTofu` reads and writes.
    pub file: PathBuf,
}

impl Options {
    /// The file's name in the branch.
    fn path(&self) -> String {
        format!("edge/{}.tfstate", self.name)
    }

    fn base(&self) -> PathBuf {
        let mut name = self.file.as_os_str().to_owned();
        name.push(format!(".{BASE}"));
        PathBuf::from(name)
    }

    fn reference(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }
}

/// Fetches the state into the file, and notes which one it was.
pub fn pull(options: &Options) -> Result<(), EdgeError> {
    let git = Git(&options.repository);
    let found = tip(&git, options)?;
    let blob = found.as_deref().map(|tip| git.blob(tip, &options.path()));
    let blob = blob.transpose()?.flatten();
    match &blob {
        Some(blob) => {
            let text = git.run(&["cat-file", "blob", blob], None)?;
            write_private(&options.file, &text)?;
            ui::say(&format!(
                "{} is in {}",
                options.path(),
                options.file.display()
            ));
        }
        None if options.file.exists() => {
            return Err(EdgeError::help(format!(
                "the branch {} has no {}, and {} is there: push it, or move it away",
                options.branch,
                options.path(),
                options.file.display()
            )));
        }
        None => ui::say(&format!(
            "the branch {} has no {} yet; the first apply makes it",
            options.branch,
            options.path()
        )),
    }
    let base = blob.as_deref().unwrap_or(NONE);
    write_private(&options.base(), base.as_bytes())
}

/// Commits the file to the branch, unless somebody was faster.
pub fn push(options: &Options) -> Result<(), EdgeError> {
    let state = fs::read(&options.file).map_err(EdgeError::io("read", &options.file))?;
    encrypted(&state)
        .map_err(|why| EdgeError::help(format!("{}: {why}", options.file.display())))?;
    let base_file = options.base();
    let base = fs::read_to_string(&base_file).map_err(|_| {
        EdgeError::help(format!(
            "{} is not there, so nobody knows which state this one follows: pull first",
            base_file.display()
        ))
    })?;
    let git = Git(&options.repository);
    let blob = git.text(&["hash-object", "-w", "--stdin"], Some(&state))?;
    for _ in 0..TRIES {
        let tip = tip(&git, options)?;
        let there = tip.as_deref().map(|tip| git.blob(tip, &options.path()));
        let there = there
            .transpose()?
            .flatten()
            .unwrap_or_else(|| NONE.to_owned());
        if there == blob {
            ui::say(&format!("{} has this state already", options.branch));
            return write_private(&base_file, blob.as_bytes());
        }
        if there != base.trim() {
            return Err(EdgeError::help(format!(
                "{} was changed in the branch {} since it was pulled: somebody else applied. Keep {} aside, pull, and look at the plan before applying again",
                options.path(),
                options.branch,
                options.file.display()
            )));
        }
        if swap(&git, options, tip.as_deref(), &blob)? {
            write_private(&base_file, blob.as_bytes())?;
            ui::say(&format!(
                "{} is in the branch {}",
                options.path(),
                options.branch
            ));
            return Ok(());
        }
    }
    Err(EdgeError::help(format!(
        "the branch {} changes all the time; try again",
        options.branch
    )))
}

/// A state that `OpenTofu` has encrypted, and nothing but that.
fn encrypted(bytes: &[u8]) -> Result<(), &'static str> {
    let Ok(Value::Object(members)) = serde_json::from_slice(bytes) else {
        return Err("it is no state");
    };
    let is_open = ["resources", "outputs", "terraform_version"]
        .iter()
        .any(|member| members.contains_key(*member));
    if is_open || !members.get("encrypted_data").is_some_and(Value::is_string) {
        return Err(
            "it is not encrypted, and the branch is public: apply with OpenTofu, which reads encryption.tofu; Terraform does not",
        );
    }
    Ok(())
}

/// The branch's commit at the remote, fetched; none when there is no branch.
fn tip(git: &Git<'_>, options: &Options) -> Result<Option<String>, EdgeError> {
    let reference = options.reference();
    let listed = git.text(&["ls-remote", &options.remote, &reference], None)?;
    let Some(tip) = listed.split_whitespace().next().map(str::to_owned) else {
        return Ok(None);
    };
    git.run(
        &[
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            &options.remote,
            &tip,
        ],
        None,
    )
    .or_else(|_| {
        // A server that hands out branches only.
        git.run(
            &["fetch", "--quiet", "--no-tags", &options.remote, &reference],
            None,
        )
    })?;
    Ok(Some(tip))
}

/// One commit on top of `tip` with the blob at its place; false when the branch is elsewhere by now.
fn swap(
    git: &Git<'_>,
    options: &Options,
    tip: Option<&str>,
    blob: &str,
) -> Result<bool, EdgeError> {
    let folder =
        tempfile::tempdir().map_err(EdgeError::io("make a folder in", Path::new("/tmp")))?;
    let index = folder.path().join("index");
    if let Some(tip) = tip {
        git.with_index(&index, &["read-tree", tip])?;
    }
    let entry = format!("100644,{blob},{}", options.path());
    git.with_index(&index, &["update-index", "--add", "--cacheinfo", &entry])?;
    let tree = git.with_index(&index, &["write-tree"])?;
    let message = format!("infra-state: {}", options.path());
    let mut commit = vec!["commit-tree", tree.as_str(), "-m", message.as_str()];
    commit.extend(tip.iter().flat_map(|tip| ["-p", *tip]));
    let commit = git.text(&commit, None)?;
    let reference = options.reference();
    let lease = format!("--force-with-lease={reference}:{}", tip.unwrap_or_default());
    let target = format!("{commit}:{reference}");
    let pushed = git.run(
        &[
            "push",
            "--quiet",
            "--porcelain",
            &lease,
            &options.remote,
            &target,
        ],
        None,
    );
    match pushed {
        Ok(_) => Ok(true),
        // Refused because it is elsewhere, or for another reason, which is the answer then.
        Err(error) => {
            let listed = git.text(&["ls-remote", &options.remote, &reference], None)?;
            let now = listed.split_whitespace().next();
            if now == tip { Err(error) } else { Ok(false) }
        }
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), EdgeError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).map_err(EdgeError::io("write", path))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(EdgeError::io("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_encrypted_state_leaves_the_machine() {
        let good = br#"{"meta":{"key_provider.pbkdf2.state":"e30="},"encrypted_data":"AAAA","encryption_version":"v0"}"#;
        assert_eq!(encrypted(good), Ok(()));
        for bad in [
            &br#"{"version":4,"terraform_version":"1.11.4","serial":1,"resources":[]}"#[..],
            br#"{"encrypted_data":"AAAA","resources":[]}"#,
            br#"{"encrypted_data":1}"#,
            b"{}",
            b"",
            b"secret",
        ] {
            assert!(encrypted(bad).is_err());
        }
    }
}
