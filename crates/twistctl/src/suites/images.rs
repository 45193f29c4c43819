//! The container images, at work.

use crate::build::Artifacts;
use crate::images::{self, Container};
use crate::platform::{Lock, Options, Part, Platform, PortChoice};
use crate::smoke::{Outcome, Target, line, walk};
use crate::suites::{Done, Tally};
use crate::ui::Step;
use crate::{CtlError, Paths, commands};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// Starts the platform with the services and the migration of the images, walks the journeys, and looks who
/// the processes are.
pub(super) fn check(paths: &Paths, step: &Step) -> Done {
    if !stack::is_root() {
        return Err(CtlError::Help(
            "giving each image a root of its own takes root: sudo ./twist test images".into(),
        ));
    }
    step.detail("building the release");
    let release = images::release(paths)?;
    let folder = tempfile::tempdir().map_err(CtlError::io("make", &std::env::temp_dir()))?;
    // The services are other users, and PostgreSQL is a third.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))
        .map_err(CtlError::io("set the mode of", folder.path()))?;
    step.detail("unpacking the images");
    let unpack = |program| images::container(&release, program, folder.path());
    let (auth, api) = (unpack("auth-service")?, unpack("influencer-api")?);
    let settlement = unpack("settlement-worker")?;
    let artifacts = Artifacts {
        auth: auth.program.clone(),
        api: api.program.clone(),
        settlement: settlement.program.clone(),
        migrate: unpack("twist-migrate")?.program,
        bundles: release.clone(),
        revision: None,
    };
    step.detail("starting the platform");
    let options = Options {
        ports: PortChoice::Any,
        ..Options::default()
    };
    let paths = paths.clone().with_state(folder.path().join("state"));
    let _lock = Lock::take(&paths)?;
    let mut platform = Platform::up(&paths, artifacts, options)?;
    let target = Target::of(&platform)?;
    let reports = commands::runtime()?.block_on(walk(&target, |report| step.detail(report.title)));
    let mut output: Vec<String> = reports.iter().map(line).collect();
    let mut tally = reports.iter().fold(Tally::default(), |tally, report| {
        tally.plus(Tally::of(!matches!(report.outcome, Outcome::Failed(_))))
    });
    for (part, container) in [
        (Part::Auth, &auth),
        (Part::Api, &api),
        (Part::Settlement, &settlement),
    ] {
        let problem = platform
            .pid(part)
            .ok_or_else(|| "it does not run".to_owned())
            .and_then(|pid| is_confined(pid, container))
            .err();
        tally = tally.plus(Tally::of(problem.is_none()));
        output.extend(problem.map(|problem| format!("{}: {problem}", part.name())));
    }
    platform.stop_all();
    Ok((tally.checked(true), output.join("\n")))
}

/// Whether the process is the image's program, in the image's root, as the image's user.
fn is_confined(pid: u32, container: &Container) -> Result<(), String> {
    let read = |name: &str| {
        fs::read_to_string(format!("/proc/{pid}/{name}")).map_err(|error| error.to_string())
    };
    let status = read("status")?;
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
    };
    let user = container.user.to_string();
    let users: Vec<&str> = field("Uid:").unwrap_or_default().split('\t').collect();
    if users.iter().any(|one| *one != user) || users.is_empty() {
        return Err(format!("it runs as {users:?}, and the image names {user}"));
    }
    if field("CapEff:") != Some("0000000000000000") {
        return Err(format!("it has capabilities: {:?}", field("CapEff:")));
    }
    let root = fs::read_link(format!("/proc/{pid}/root")).map_err(|error| error.to_string())?;
    if root != container.root {
        return Err(format!("its root is {}", root.display()));
    }
    Ok(())
}
