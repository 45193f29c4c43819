//! Proof that a build depends on the commit only: the same commit, built twice under conditions as unlike as
//! this machine allows, file by file.
//!
//! [`condition`] lists what is varied and asks the machine whether it can, [`side`] makes one of the two
//! places and builds there, [`compare`] tells every file's fate.

mod compare;
mod condition;
mod side;
mod toolchain;

pub(crate) use compare::Compared;
pub(crate) use side::seed;

use crate::reproduce::condition::Conditions;
use crate::reproduce::side::Side;
use crate::reproduce::toolchain::Toolchain;
use crate::run::ask_in;
use crate::ui::{self, Step, seconds};
use crate::{CtlError, Paths};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::Instant;

/// The outcome.
#[derive(Debug)]
pub(crate) struct Report {
    /// Every file of either build.
    pub(crate) files: Vec<Compared>,
    /// What was built, what was varied and how long it took, for people.
    pub(crate) text: String,
}

/// Builds twice and compares.
pub(crate) fn run(paths: &Paths, step: &Step) -> Result<Report, CtlError> {
    let place = paths.cache.join("reproduce");
    step.detail("making two places");
    wipe(&place)?;
    fs::create_dir_all(&place).map_err(CtlError::io("make", &place))?;
    let builder = place.join("twistctl");
    // A copy: cargo may replace the program while it runs.
    let this = std::env::current_exe().map_err(CtlError::io("find", Path::new("twistctl")))?;
    fs::copy(&this, &builder).map_err(CtlError::io("copy", &this))?;
    fs::set_permissions(&builder, fs::Permissions::from_mode(0o755))
        .map_err(CtlError::io("set the mode of", &builder))?;

    let (commit, described) = source(paths)?;
    let mut text = vec![described];
    let toolchain = Toolchain::find(paths, &place)?;
    let first = Side::first(paths, &place);
    let second = Side::second(paths, &place);
    first.prepare(paths, &commit, None)?;
    let conditions = Conditions::possible(&first, &second, &toolchain)?;
    second.prepare(paths, &commit, conditions.user())?;
    text.push(conditions.describe());

    let build = |name: &str, side: &Side, conditions: &Conditions| {
        let started = Instant::now();
        let show = |line: &str| step.detail(&format!("{name} build: {line}"));
        let built = side.build(&builder, conditions, &toolchain, show);
        built.inspect_err(|_| {
            ui::complain(&format!("the {name} build failed; the other goes on"));
        })?;
        Ok::<_, CtlError>(format!("{name} build: {}", seconds(started.elapsed())))
    };
    // At once: the second has one core only.
    let (one, two) = thread::scope(|scope| {
        let one = scope.spawn(|| build("first", &first, &Conditions::plain()));
        let two = build("second", &second, &conditions);
        (one.join(), two)
    });
    text.push(one.map_err(|_| CtlError::Help("the first build ended badly".into()))??);
    text.push(two?);
    let files = compare::folders(&first.dist(), &second.dist())?;
    text.extend(files.iter().map(Compared::line));
    if files.iter().all(Compared::is_equal) {
        wipe(&place)?;
    } else {
        text.push(format!("both builds are kept in {}", place.display()));
    }
    Ok(Report {
        files,
        text: text.join("\n"),
    })
}

/// What is built: the commit, whatever else lies in the checkout; and the sentence about it.
fn source(paths: &Paths) -> Result<(String, String), CtlError> {
    let git = |args: &[&str]| ask_in(&paths.root, "git", args);
    let head = git(&["rev-parse", "HEAD"]).ok_or_else(|| {
        CtlError::Help("the checkout has no commit to build, or git is missing".into())
    })?;
    let described = match git(&["status", "--porcelain"]).as_deref() {
        Some("") => format!("commit {head}"),
        _ => format!("commit {head}; what was changed in the checkout since is not built"),
    };
    Ok((head, described))
}

fn wipe(folder: &Path) -> Result<(), CtlError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(CtlError::io("remove", folder)(error))
        }
        _ => Ok(()),
    }
}
