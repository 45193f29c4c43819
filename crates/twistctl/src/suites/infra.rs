//! edge/terraform: formatted, and valid as far as the tool can tell on this machine.

use crate::run::watch;
use crate::suites::{Done, Tally};
use crate::ui::Step;
use crate::{CtlError, Paths, ui};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Modules that stand alone.
const ROOTS: [&str; 3] = ["environment", "publish", "zone"];

pub(super) fn check(paths: &Paths, step: &Step) -> Done {
    let tool = ["tofu", "terraform"]
        .into_iter()
        .find_map(stack::binaries::on_path);
    let Some(tool) = tool else {
        ui::note("infra: fmt and validate are skipped: neither tofu nor terraform is installed");
        return Ok((Tally::default(), String::new()));
    };
    let source = paths.root.join("edge/terraform");
    let mut fmt = command(&tool, &source);
    fmt.args(["fmt", "-check", "-recursive", "-diff"]);
    let ended = watch(fmt, |line| step.detail(line))?;
    let mut tally = Tally::of(ended.ok);
    let mut output = ended.output;

    // Elsewhere: `init` leaves files in the folder that it is called in.
    let copy = tempfile::tempdir().map_err(CtlError::io("make a folder in", Path::new("/tmp")))?;
    let edge = copy.path().join("edge");
    copy_modules(&source, &edge.join("terraform"))?;
    let (from, to) = (
        paths.root.join("edge/bindings.json"),
        edge.join("bindings.json"),
    );
    fs::copy(&from, &to).map_err(CtlError::io("copy", &from))?;
    for root in ROOTS {
        let folder = edge.join("terraform").join(root);
        let mut init = command(&tool, &folder);
        init.args(["init", "-backend=false", "-input=false", "-no-color"]);
        if !watch(init, |line| step.detail(line))?.ok {
            ui::note(&format!(
                "infra: validate of edge/terraform/{root} is skipped: its provider cannot be had here"
            ));
            continue;
        }
        let mut validate = command(&tool, &folder);
        validate.args(["validate", "-no-color"]);
        let ended = watch(validate, |line| step.detail(line))?;
        tally = tally.plus(Tally::of(ended.ok));
        output.push_str(&ended.output);
    }
    Ok((tally.checked(true), output))
}

fn command(tool: &Path, folder: &Path) -> Command {
    let mut command = Command::new(tool);
    command
        .current_dir(folder)
        .env("CHECKPOINT_DISABLE", "1")
        .env("TF_IN_AUTOMATION", "1")
        // Only so that the variable has a value: nothing is encrypted by `validate`.
        .env("TF_VAR_state_passphrase", "sixteen-characters");
    command
}

/// The files that are read, without what an earlier `init` has left.
fn copy_modules(from: &Path, to: &Path) -> Result<(), CtlError> {
    for module in ROOTS {
        let (from, to) = (from.join(module), to.join(module));
        fs::create_dir_all(&to).map_err(CtlError::io("make", &to))?;
        let entries = fs::read_dir(&from).map_err(CtlError::io("read", &from))?;
        let is_code = |path: &PathBuf| {
            path.extension()
                .is_some_and(|ending| ending == "tf" || ending == "tofu")
        };
        for path in entries.flatten().map(|entry| entry.path()).filter(is_code) {
            let name = path.file_name().unwrap_or_default();
            fs::copy(&path, to.join(name)).map_err(CtlError::io("copy", &path))?;
        }
    }
    Ok(())
}
