//! The real program: its health check, and what it refuses to start with.

use crate::support::Api;
use std::process::Output;

fn run(mode: &str, settings: &[(&str, &str)]) -> Output {
    testkit::program::command(env!("CARGO_BIN_EXE_influencer-api"))
        .envs([
            (
                "TWIST_API__DATABASE__URL",
                "postgres://nobody@127.0.0.1:1/x",
            ),
            ("TWIST_API__REDIS__URL", "redis://127.0.0.1:1"),
            ("TWIST_API__TOKEN__ISSUER", "https://auth.test.example"),
            ("TWIST_API__TOKEN__JWKS_URL", "http://127.0.0.1:1/jwks.json"),
            ("TWIST_API__INGEST__KEYS__EDGE1", "a-secret-of-the-tests"),
        ])
        .envs(settings.iter().copied())
        .arg(mode)
        .output()
        .unwrap()
}

fn probe(listen: &str) -> Output {
    run("probe", &[("TWIST_API__LISTEN", listen)])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_succeeds_while_the_service_is_ready() {
    let api = Api::new().await;
    let address = api.url.strip_prefix("http://").unwrap().to_owned();
    let ready = probe(&address);
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
fn a_revision_that_is_none_is_refused_before_it_is_served() {
    assert!(run("check-config", &[]).status.success());
    let wrong = run("check-config", &[("TWIST_REVISION", "main")]);
    let text = String::from_utf8_lossy(&wrong.stderr);
    assert_eq!(wrong.status.code(), Some(1), "{text}");
    assert!(text.contains("TWIST_REVISION: must be 40"), "{text}");
}
