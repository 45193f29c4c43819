//! The real program: its health check, and what it refuses to start with.

use crate::world::World;
use std::process::Output;

fn run(mode: &str, settings: &[(&str, &str)]) -> Output {
    testkit::program::command(env!("CARGO_BIN_EXE_settlement-worker"))
        .envs([
            (
                "TWIST_SETTLEMENT__DATABASE__URL",
                "postgres://nobody@127.0.0.1:1/x",
            ),
            ("TWIST_SETTLEMENT__REDIS__URL", "redis://127.0.0.1:1"),
        ])
        .envs(settings.iter().copied())
        .arg(mode)
        .output()
        .unwrap()
}

fn probe(listen: &str) -> Output {
    run("probe", &[("TWIST_SETTLEMENT__LISTEN", listen)])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_succeeds_while_the_service_is_ready() {
    let world = World::new().await;
    let worker = world.worker(&[]).await;
    let ready = probe(worker.url.strip_prefix("http://").unwrap());
    assert!(ready.status.success(), "{ready:?}");
    // Nothing for the log of the container, which gets a probe every few seconds.
    assert!(
        ready.stdout.is_empty() && ready.stderr.is_empty(),
        "{ready:?}"
    );
}

#[test]
fn the_probe_of_a_service_that_is_gone_says_so_in_one_line() {
    let gone = probe("127.0.0.1:1");
    let text = String::from_utf8_lossy(&gone.stderr);
    assert_eq!(gone.status.code(), Some(1), "{text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    assert!(text.contains("127.0.0.1:1 does not answer"), "{text}");
}

#[test]
fn what_is_wrong_with_the_configuration_is_named_a_line_each() {
    assert!(run("check-config", &[]).status.success());
    let wrong = run(
        "check-config",
        &[
            ("TWIST_SETTLEMENT__CONSUMERS__PATIENCE_SECONDS", "30"),
            ("TWIST_SETTLEMENT__SWEEP__INBOX_KEPT_DAYS", "3"),
            ("TWIST_SETTLEMENT__OPS_LISTEN", "127.0.0.1:3005"),
        ],
    );
    let text = String::from_utf8_lossy(&wrong.stderr);
    assert_eq!(wrong.status.code(), Some(1), "{text}");
    assert_eq!(text.trim_end().lines().count(), 3, "{text}");
    for key in [
        "consumers.patience_seconds",
        "sweep.inbox_kept_days",
        "ops_listen",
    ] {
        assert!(text.contains(key), "{key} is not in {text}");
    }
    let wrong = run(
        "check-config",
        &[
            ("TWIST_SETTLEMENT__CHECK__EVERY_SECONDS", "0"),
            ("TWIST_SETTLEMENT__SEALER__BACTH", "5"),
        ],
    );
    let text = String::from_utf8_lossy(&wrong.stderr);
    assert_eq!(text.trim_end().lines().count(), 2, "{text}");
    assert!(text.contains("check.every_seconds"), "{text}");
    assert!(text.contains("sealer.bacth"), "{text}");
}

#[test]
fn a_revision_that_is_none_is_refused_before_it_is_served() {
    let wrong = run("check-config", &[("TWIST_REVISION", "main")]);
    let text = String::from_utf8_lossy(&wrong.stderr);
    assert_eq!(wrong.status.code(), Some(1), "{text}");
    assert!(text.contains("TWIST_REVISION: must be 40"), "{text}");
}
