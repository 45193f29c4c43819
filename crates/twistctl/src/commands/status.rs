//! `status`.

use crate::platform::{Part, Ports, Record, Secrets};
use crate::{CtlError, Paths, ui};
use serde_json::{Map, Value, json};

/// Options of `status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// For programs: `{"components": {"auth": {"url", "opsUrl", "ready", "pid"}, …}, "database": …, "redis": …}`.
    #[arg(long)]
    json: bool,
}

struct Seen {
    part: Part,
    pid: Option<u32>,
    ready: bool,
}

/// Shows what runs. Succeeds when everything is ready.
pub fn run(paths: &Paths, args: &Args) -> Result<bool, CtlError> {
    let record = Record::load(paths);
    let seen: Vec<Seen> = Part::ALL
        .into_iter()
        .map(|part| look(record.as_ref(), part))
        .collect();
    if args.json {
        let secrets = record
            .as_ref()
            .map(|_| Secrets::load_or_make(paths))
            .transpose()?;
        ui::say(&format!(
            "{:#}",
            as_json(record.as_ref(), secrets.as_ref(), &seen, paths)
        ));
    } else if let Some(record) = &record {
        for seen in &seen {
            ui::say(&line(&record.ports, seen));
        }
        ui::say(&format!("logs in {}", paths.state.join("logs").display()));
    } else {
        ui::say("the platform is not running; ./twist up --detach starts it");
    }
    Ok(seen.iter().all(|seen| seen.ready))
}

fn look(record: Option<&Record>, part: Part) -> Seen {
    let process = record
        .and_then(|record| record.parts.get(&part))
        .filter(|process| process.identity.is_alive());
    Seen {
        part,
        pid: process.map(|process| process.identity.pid),
        ready: process.is_some()
            && record.is_some_and(|record| crate::platform::is_ready(&record.ports, part)),
    }
}

fn line(ports: &Ports, seen: &Seen) -> String {
    let state = match (seen.pid, seen.ready) {
        (None, _) => "stopped".to_owned(),
        (Some(pid), true) => format!("ready      pid {pid}"),
        (Some(pid), false) => format!("NOT READY  pid {pid}"),
    };
    let address = if seen.part.is_component() {
        ports.url(seen.part)
    } else {
        format!("127.0.0.1:{}", ports.of(seen.part))
    };
    let ops = ports
        .ops(seen.part)
        .map(|port| format!("  metrics http://127.0.0.1:{port}/metrics"))
        .unwrap_or_default();
    format!("{:<9} {address:<24} {state}{ops}", seen.part.name())
}

fn as_json(
    record: Option<&Record>,
    secrets: Option<&Secrets>,
    seen: &[Seen],
    paths: &Paths,
) -> Value {
    let (Some(record), Some(secrets)) = (record, secrets) else {
        return json!({ "components": {}, "database": null, "redis": null });
    };
    let ports = &record.ports;
    let mut components = Map::new();
    for seen in seen.iter().filter(|seen| seen.part.is_component()) {
        let ops = ports
            .ops(seen.part)
            .map(|port| format!("http://127.0.0.1:{port}"));
        components.insert(
            seen.part.name().to_owned(),
            json!({
                "url": ports.url(seen.part),
                "opsUrl": ops,
                "ready": seen.ready,
                "pid": seen.pid,
                "log": paths.log(seen.part.name()),
            }),
        );
    }
    let server = |part: Part| seen.iter().find(|seen| seen.part == part);
    json!({
        "components": components,
        "database": {
            "url": crate::platform::app_url(ports, secrets),
            "ownerUrl": crate::platform::owner_url(ports, secrets),
            "ready": server(Part::Postgres).is_some_and(|seen| seen.ready),
            "pid": server(Part::Postgres).and_then(|seen| seen.pid),
        },
        "redis": {
            "url": crate::platform::redis_url(ports, secrets),
            "ready": server(Part::Redis).is_some_and(|seen| seen.ready),
            "pid": server(Part::Redis).and_then(|seen| seen.pid),
        },
    })
}
