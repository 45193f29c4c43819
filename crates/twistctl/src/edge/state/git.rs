//! git that gets to the remote as the person does.

use crate::edge::EdgeError;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// git with the person's own settings, as it has to get to the remote.
pub(super) struct Git<'a>(pub(super) &'a Path);

impl Git<'_> {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .current_dir(self.0)
            .args(["-c", "core.hooksPath=/dev/null"])
            // A commit has an author on a machine that has none, such as a runner of a pipeline.
            .args([
                "-c",
                "user.name=twistctl",
                "-c",
                "user.email=twistctl@localhost",
            ])
            .args(args)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(super) fn run(&self, args: &[&str], input: Option<&[u8]>) -> Result<Vec<u8>, EdgeError> {
        finish(self.command(args), args, input)
    }

    pub(super) fn text(&self, args: &[&str], input: Option<&[u8]>) -> Result<String, EdgeError> {
        let bytes = self.run(args, input)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    pub(super) fn with_index(&self, index: &Path, args: &[&str]) -> Result<String, EdgeError> {
        let mut command = self.command(args);
        command.env("GIT_INDEX_FILE", index);
        let bytes = finish(command, args, None)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// The blob at a path of a commit.
    pub(super) fn blob(&self, commit: &str, path: &str) -> Result<Option<String>, EdgeError> {
        let listed = self.text(&["ls-tree", commit, "--", path], None)?;
        Ok(listed.split_whitespace().nth(2).map(str::to_owned))
    }
}

fn finish(mut command: Command, args: &[&str], input: Option<&[u8]>) -> Result<Vec<u8>, EdgeError> {
    let program = Path::new("git");
    command.stdin(if input.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    });
    let mut child = command.spawn().map_err(EdgeError::io("run", program))?;
    if let (Some(bytes), Some(mut stdin)) = (input, child.stdin.take()) {
        stdin
            .write_all(bytes)
            .map_err(EdgeError::io("write to", program))?;
    }
    let output = child
        .wait_with_output()
        .map_err(EdgeError::io("wait for", program))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let what = args.first().copied().unwrap_or_default();
    Err(EdgeError::help(format!("git {what} failed: {said}")))
}
