//! `edge status`: which versions have the requests, and what they are.

use crate::edge::EdgeError;
use crate::edge::api::{Api, Share};
use crate::edge::bindings::{Bindings, deployed};
use crate::edge::bundle::Bundle;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// A version with requests.
#[derive(Debug, Clone)]
pub struct Running {
    share: Share,
    number: u64,
    created: String,
    tag: Option<String>,
    /// Of what Cloudflare hands out.
    hash: Result<String, String>,
    /// Whether it is the bundle at hand; none without one.
    equal: Option<Result<(), String>>,
}

/// A script.
#[derive(Debug, Clone)]
pub struct Line {
    script: String,
    running: Vec<Running>,
}

/// Looks at every script of an environment. The bundles are read out of Cloudflare and hashed here.
pub async fn look(
    api: &Api,
    bindings: &Bindings,
    environment: &str,
    bundles: Option<&Path>,
) -> Result<Vec<Line>, EdgeError> {
    let there = api.scripts().await?;
    let mut lines = Vec::new();
    for worker in bindings.in_order() {
        let script = deployed(&worker.name, environment);
        let mut running = Vec::new();
        if there.iter().any(|found| found.id == script) {
            let wanted = bundles.map(|folder| Bundle::read(&folder.join(&worker.bundle)));
            let wanted = wanted.transpose()?;
            let deployments = api.deployments(&script).await?;
            for share in deployments.first().map_or(&[][..], |now| &now.versions) {
                running.push(look_at(api, &script, share, wanted.as_ref()).await?);
            }
        }
        lines.push(Line { script, running });
    }
    Ok(lines)
}

async fn look_at(
    api: &Api,
    script: &str,
    share: &Share,
    wanted: Option<&Bundle>,
) -> Result<Running, EdgeError> {
    let version = api.version(script, &share.version_id).await?;
    let content = api.content(script, Some(&share.version_id)).await?;
    let bundle = Bundle::of_content(content).map_err(|parting| parting.0);
    let equal = wanted.map(|wanted| match &bundle {
        Ok(found) => wanted
            .parting(found)
            .map_or(Ok(()), |parting| Err(parting.0)),
        Err(why) => Err(why.clone()),
    });
    Ok(Running {
        share: share.clone(),
        number: version.number,
        created: version.metadata.created_on,
        tag: version.resources.script_runtime.migration_tag,
        hash: bundle.map(|bundle| bundle.hash()),
        equal,
    })
}

/// Whether every script runs one version, which is the bundle at hand where there is one.
pub fn is_settled(lines: &[Line]) -> bool {
    lines.iter().all(|line| {
        line.running.len() == 1
            && line
                .running
                .iter()
                .all(|running| !matches!(running.equal, Some(Err(_))))
    })
}

/// For a person.
pub fn text(lines: &[Line]) -> String {
    let mut out = String::new();
    for line in lines {
        if line.running.is_empty() {
            let _ = writeln!(out, "{}: not published", line.script);
        }
        for running in &line.running {
            let _ = writeln!(
                out,
                "{}: {} % version {} (number {}, {}), objects at {}",
                line.script,
                running.share.percentage,
                running.share.version_id,
                running.number,
                running.created,
                running.tag.as_deref().unwrap_or("-"),
            );
            let hash = match &running.hash {
                Ok(hash) => hash.clone(),
                Err(why) => format!("no bundle: {why}"),
            };
            let equal = match &running.equal {
                None => String::new(),
                Some(Ok(())) => ", the bundle at hand".to_owned(),
                Some(Err(why)) => format!(", NOT the bundle at hand: {why}"),
            };
            let _ = writeln!(out, "    {hash}{equal}");
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// For a program.
pub fn to_json(lines: &[Line]) -> Value {
    let version = |running: &Running| {
        json!({
            "version": running.share.version_id,
            "number": running.number,
            "percentage": running.share.percentage,
            "createdOn": running.created,
            "migrationTag": running.tag,
            "narHash": running.hash.as_ref().ok(),
            "isBundle": running.equal.as_ref().map(Result::is_ok),
        })
    };
    let script = |line: &Line| {
        let versions: Vec<Value> = line.running.iter().map(version).collect();
        json!({ "script": line.script, "versions": versions })
    };
    Value::Array(lines.iter().map(script).collect())
}
