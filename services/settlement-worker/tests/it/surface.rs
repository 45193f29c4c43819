//! What an instance says of itself.

use crate::world::{World, until};
use serde_json::Value;
use testkit::leaks::password;
use testkit::program::Program;

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_says_that_it_is_alive_and_ready_and_what_it_is() {
    let world = World::new().await;
    let worker = world.worker(&[]).await;
    for path in [
        "/health",
        "/ready",
        "/openapi.json",
        "/docs",
        "/api/v1/health",
    ] {
        assert_eq!(worker.status(path).await, 200, "{path}");
    }
    let answer = reqwest::get(format!("{}/version", worker.url))
        .await
        .unwrap();
    let version: Value = answer.json().await.unwrap();
    assert_eq!(version["service"], "settlement-worker");
    let answer = reqwest::get(format!("{}/ready", worker.ops)).await.unwrap();
    let ready: Value = answer.json().await.unwrap();
    let checks: Vec<&str> = ready["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert_eq!(checks, ["postgres", "schema", "redis"]);
    assert!(worker.metric("bus_unpublished_events").await.is_some());
    assert_eq!(worker.status("/metrics").await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_without_its_schema_is_alive_and_not_ready() {
    let world = World::new().await;
    let worker = world.worker(&[]).await;
    let owner = world.owner().await;
    let earlier =
        "DELETE FROM seaql_migrations WHERE version = (SELECT max(version) FROM seaql_migrations)";
    crate::world::run_as(&owner, earlier).await;
    until("not ready", async || worker.status("/ready").await == 503).await;
    assert_eq!(worker.status("/health").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_stop_an_instance_ends_cleanly_and_soon() {
    let world = World::new().await;
    let worker = world.worker(&[]).await;
    until("it leads", async || worker.leads().await).await;
    let begun = std::time::Instant::now();
    let log = worker.program.stop();
    assert!(
        begun.elapsed().as_secs() < 10,
        "it took {:?}",
        begun.elapsed()
    );
    assert!(log.contains("\"stopped\""), "{log}");
    assert!(!log.contains("cut short"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_every_detail_and_the_metrics_tell_no_password() {
    let world = World::new().await;
    let user = world.user_with(1).await;
    let mut command = world.command(&[("CHECK__EVERY_SECONDS", "1"), ("OBSERVE_SECONDS", "1")]);
    command.env("TWIST_LOG", "trace");
    let program = Program::start(command);
    let (_, ops) = program.ready().await;
    crate::stream::write(&world.db, 1).await;
    world.deposit(user, 1).await;
    world
        .until_count("SELECT count(*) FROM outbox WHERE published_at IS NULL", 0)
        .await;
    let read = async || {
        let metrics = reqwest::get(format!("{ops}/metrics")).await.unwrap();
        metrics.text().await.unwrap()
    };
    // The books were checked.
    until("a job was done", async || {
        read().await.contains("job_runs_total")
    })
    .await;
    let metrics = read().await;
    let log = program.stop();
    assert!(
        log.contains("request begins"),
        "nothing was logged in detail"
    );
    let told = metrics + &log;
    for url in [&world.database_url, &world.redis_url] {
        assert!(!told.contains(password(url)), "a password is told");
    }
}
