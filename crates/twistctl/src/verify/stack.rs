//! `--stack`: the platform that `up` started on this machine.
//!
//! Proves that the very files that run are the manifest's: the kernel hands out the program of a process
//! even when it was replaced on the disk. Of a Worker the copy of the bundle is read that `up` made for it.

use crate::artifact::walk;
use crate::platform::{Part, Record};
use crate::verify::{Context, Leg, Row, http, service};
use crate::{CtlError, Paths};
use attest::Artifact;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const LEG: &str = "stack";

/// The parts that are ours, and their artifacts.
const PARTS: [(Part, &str); 5] = [
    (Part::Auth, "auth-service"),
    (Part::Api, "influencer-api"),
    (Part::Settlement, "settlement-worker"),
    (Part::Edge, "edge-security-worker"),
    (Part::Edge, "edge-vau-processor"),
];

/// The platform of this user.
#[derive(Debug)]
pub struct Stack;

impl Leg for Stack {
    fn check(&self, context: &Context) -> Vec<Row> {
        let found = Paths::discover().map_err(|error| error.to_string());
        let record = found.as_ref().ok().and_then(Record::load);
        let mut rows = Vec::new();
        for (part, name) in PARTS {
            let row = Row::of_none(LEG, part.name());
            let Some(artifact) = context.manifest.artifact(name) else {
                rows.push(row.not_checked(format!("the manifest does not name {name}")));
                continue;
            };
            if !context.is_meant(artifact) {
                continue;
            }
            let row = Row::new(LEG, artifact, part.name());
            match (&found, &record) {
                (Err(why), _) => rows.push(row.not_checked(why.clone())),
                (Ok(paths), Some(record)) if record.is_alive(part) => {
                    rows.extend(running(context, paths, record, part, artifact));
                }
                (Ok(_), _) => rows.push(row.not_checked(format!(
                    "{} is not running; ./twist up --detach starts it",
                    part.name()
                ))),
            }
        }
        if rows.is_empty() {
            rows.push(
                Row::of_none(LEG, "the local platform")
                    .not_checked("none of the artifacts asked for is a part of it"),
            );
        }
        rows
    }
}

fn running(
    context: &Context,
    paths: &Paths,
    record: &Record,
    part: Part,
    artifact: &Artifact,
) -> Vec<Row> {
    if part == Part::Edge {
        return vec![bundle(context, paths, artifact)];
    }
    vec![
        program(context, record, part, artifact),
        version(context, record, part, artifact),
    ]
}

/// The file that the process runs, from the kernel.
fn program(context: &Context, record: &Record, part: Part, artifact: &Artifact) -> Row {
    let Some(identity) = record.parts.get(&part).map(|part| &part.identity) else {
        return Row::new(LEG, artifact, part.name()).not_checked("it is not recorded");
    };
    let exe = PathBuf::from(format!("/proc/{}/exe", identity.pid));
    let row = Row::new(LEG, artifact, format!("{} {}", part.name(), exe.display()));
    let contents = match walk::read_file(&exe, walk::MOST_BYTES) {
        Ok(contents) => contents,
        Err(error) => return row.not_checked(error.to_string()),
    };
    // Asked afterwards: another process may have got the number in the meantime.
    if !identity.is_alive() {
        return row.not_checked("the process ended while it was read");
    }
    let file = format!("bin/{}", artifact.name);
    let row = context.compare_file(artifact, &file, contents, &exe, row);
    if artifact.files.len() > 1 {
        row.note(format!("of the artifact only {file} runs and was compared"))
    } else {
        row
    }
}

fn version(context: &Context, record: &Record, part: Part, artifact: &Artifact) -> Row {
    let address = record.ports.url(part);
    match http::base(&address) {
        Ok(url) => service::ask(LEG, context, &url, &address, Some(artifact.name.as_str())),
        Err(why) => Row::new(LEG, artifact, address).not_checked(why),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EdgeConfig {
    workers: BTreeMap<String, EdgeWorker>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EdgeWorker {
    bundle_dir: PathBuf,
}

fn bundle(context: &Context, paths: &Paths, artifact: &Artifact) -> Row {
    let row = Row::new(LEG, artifact, Part::Edge.name());
    let folder = match bundle_folder(&paths.state.join("edge/config.json"), artifact) {
        Ok(Some(folder)) => folder,
        Ok(None) => return row.not_checked("the Worker is not among those that were started"),
        Err(error) => return row.not_checked(error.to_string()),
    };
    let row = Row::new(
        LEG,
        artifact,
        format!("{} {}", Part::Edge.name(), folder.display()),
    );
    match walk::read(&folder) {
        Ok(node) => context
            .compare(artifact, &node, &folder, row)
            .note("this is the copy of the bundle that it was started from; what it holds in memory cannot be read"),
        Err(error) => row.not_checked(error.to_string()),
    }
}

fn bundle_folder(config: &Path, artifact: &Artifact) -> Result<Option<PathBuf>, CtlError> {
    let text = fs::read(config).map_err(CtlError::io("read", config))?;
    let mut config: EdgeConfig =
        serde_json::from_slice(&text).map_err(|source| CtlError::Damaged {
            path: config.to_owned(),
            source,
        })?;
    let worker = artifact.name.as_str().strip_prefix("edge-");
    let started = worker.and_then(|name| config.workers.remove(name));
    Ok(started.map(|worker| worker.bundle_dir))
}
