//! J1: the platform is up.

use crate::run::watch;
use crate::smoke::check::{Found, ensure, text};
use crate::smoke::recorder::{Recorder, Step};
use crate::smoke::target::Local;
use crate::smoke::{StepReport, Tag, Target};
use client::{Answer, Client};
use contracts::health::Readiness;
use reqwest::Method;
use std::process::Command;

pub(crate) async fn walk<W: FnMut(&StepReport)>(target: &Target, recorder: &mut Recorder<W>) {
    let client = &target.client;
    let step = |id, title, tag| Step { id, title, tag };
    recorder
        .take_with(
            step(
                "J1.1",
                "the schema is complete, nothing left to migrate",
                Tag::LocalOnly,
            ),
            target.local.as_ref(),
            schema,
        )
        .await;
    recorder
        .take(
            step(
                "J1.2",
                "every component says it is alive",
                Tag::ProductionSafe,
            ),
            health(target),
        )
        .await;
    recorder
        .take(
            step(
                "J1.3",
                "the services are ready: database and Redis answer",
                Tag::ProductionSafe,
            ),
            ready(target),
        )
        .await;
    recorder
        .take_with(
            step("J1.4", "metrics can be scraped and parsed", Tag::LocalOnly),
            target.local.as_ref(),
            |local| metrics(client, local),
        )
        .await;
}

async fn schema(local: &Local) -> Found<()> {
    let mut command = Command::new(&local.migrate);
    command
        .arg("status")
        .env("TWIST_MIGRATE__DATABASE_URL", &local.owner_url);
    let ended = watch(command, |_| {}).map_err(text)?;
    ensure(ended.ok, || ended.output.clone())?;
    Ok(((), "no migration pending".into()))
}

/// Where those are that no client calls: known of a platform on this machine only.
fn inside(target: &Target) -> &[String] {
    target.local.as_ref().map_or(&[], |local| &local.inside)
}

async fn health(target: &Target) -> Found<()> {
    let client = &target.client;
    let inside = inside(target);
    let public = [
        &client.endpoints.auth,
        &client.endpoints.api,
        &client.endpoints.edge,
    ];
    for base in public.into_iter().chain(inside) {
        let answer = get(client, base, "/health").await?;
        ensure(answer.status == 200, || {
            format!("{base}/health answered {}", answer.status)
        })?;
        ensure(answer.header("x-request-id").is_some(), || {
            format!("{base}/health carries no X-Request-ID")
        })?;
    }
    let who = if inside.is_empty() {
        "auth, api and edge"
    } else {
        "auth, api, edge and settlement"
    };
    Ok(((), format!("{who} answered 200")))
}

async fn ready(target: &Target) -> Found<()> {
    let client = &target.client;
    let mut checked = Vec::new();
    let public = [&client.endpoints.auth, &client.endpoints.api];
    for base in public.into_iter().chain(inside(target)) {
        let answer = get(client, base, "/ready").await?;
        ensure(answer.status == 200, || {
            format!(
                "{base}/ready answered {}: {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            )
        })?;
        let body: Readiness = answer.success().map_err(text)?;
        checked.extend(body.checks.into_iter().map(|check| check.name));
    }
    checked.sort();
    checked.dedup();
    Ok(((), checked.join(", ")))
}

async fn metrics(client: &Client, local: &Local) -> Found<()> {
    let mut samples = 0;
    for (_, base) in &local.ops {
        let answer = get(client, base, "/metrics").await?;
        ensure(answer.status == 200, || {
            format!("{base}/metrics answered {}", answer.status)
        })?;
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        for line in body
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let number = line.rsplit(' ').next().unwrap_or_default();
            ensure(number.parse::<f64>().is_ok(), || {
                format!("{base}/metrics: not a sample: {line}")
            })?;
            samples += 1;
        }
    }
    ensure(samples > 0, || "no samples".into())?;
    Ok(((), format!("{samples} samples")))
}

async fn get(client: &Client, base: &str, path: &str) -> Result<Answer, String> {
    client
        .send(client.request(Method::GET, base, path))
        .await
        .map_err(text)
}
