//! The built Workers in workerd, driven by node's own test runner.

use crate::run::watch;
use crate::suites::{Done, Tally};
use crate::ui::Step;
use crate::{CtlError, Paths, build, tools};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) fn test(paths: &Paths, step: &Step) -> Done {
    let artifacts = build::build(paths)?;
    let mut files = test_files(&paths.root.join("edge/tests"))?;
    files.sort();
    let mut command = Command::new(tools::node(paths)?);
    command
        .args(["--test", "--test-reporter=tap"])
        .args(files)
        .current_dir(&paths.root)
        .env("TWIST_NODE_MODULES", paths.node_modules())
        .env("TWIST_EDGE_DIST", artifacts.bundles);
    let ended = watch(command, |line| step.detail(line))?;
    let tally = Tally::of_node(&ended.output).checked(ended.ok);
    Ok((tally, ended.output))
}

fn test_files(folder: &Path) -> Result<Vec<PathBuf>, CtlError> {
    let entries = fs::read_dir(folder).map_err(CtlError::io("read", folder))?;
    Ok(entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.to_str()
                .is_some_and(|name| name.ends_with(".test.mjs"))
        })
        .collect())
}
