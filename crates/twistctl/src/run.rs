//! Runs tools and keeps what they print.

use crate::CtlError;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A tool that has ended.
pub(crate) struct Ended {
    /// Whether it exited with 0.
    pub(crate) ok: bool,
    /// What it printed on stdout and stderr, in order.
    pub(crate) output: String,
}

/// Runs it; calls `line` with every line as it comes.
pub(crate) fn watch(mut command: Command, mut line: impl FnMut(&str)) -> Result<Ended, CtlError> {
    let program = PathBuf::from(command.get_program());
    let io = |doing| CtlError::io(doing, &program);
    let (reader, writer) = std::io::pipe().map_err(io("make a pipe for"))?;
    let errors = writer.try_clone().map_err(io("make a pipe for"))?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(errors)
        .spawn()
        .map_err(io("run"))?;
    // The command holds the pipe's writing end, which has to go for the reading to end.
    drop(command);
    let mut output = String::new();
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    while reader
        .read_until(b'\n', &mut bytes)
        .map_err(io("read from"))?
        > 0
    {
        let text = String::from_utf8_lossy(&bytes);
        line(text.trim_end());
        output.push_str(&text);
        bytes.clear();
    }
    let status = child.wait().map_err(io("wait for"))?;
    Ok(Ended {
        ok: status.success(),
        output,
    })
}

/// Runs it to its end; `None` when it cannot be run or fails. For questions like `--version`.
pub(crate) fn ask(program: impl Into<PathBuf>, args: &[&str]) -> Option<String> {
    let mut command = Command::new(program.into());
    command.args(args);
    answer(command)
}

/// The same in a folder.
pub(crate) fn ask_in(folder: &Path, program: impl AsRef<OsStr>, args: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder);
    answer(command)
}

fn answer(command: Command) -> Option<String> {
    let ended = watch(command, |_| {}).ok()?;
    ended.ok.then(|| ended.output.trim().to_owned())
}
