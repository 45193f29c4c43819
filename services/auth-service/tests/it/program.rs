//! The real program: which build it says it is, and its health check.

use crate::process::{binary, with_settings};
use crate::world::{Service, World, config};
use contracts::version::Version;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Output;
use testkit::program::Program;

const COMMIT: &str = "89abcdef0123456789abcdef0123456789abcdef";
/// Nothing listens there, so the service runs and is not ready.
const NO_DATABASE: &str = "postgres://nobody@127.0.0.1:1/x";
const NO_REDIS: &str = "redis://127.0.0.1:1";

fn probe(listen: SocketAddr) -> Output {
    let mut command = binary();
    with_settings(&mut command, NO_DATABASE, NO_REDIS);
    command
        .env("TWIST_AUTH__LISTEN", listen.to_string())
        .arg("probe")
        .output()
        .unwrap()
}

/// It failed, and one line on stderr says why.
fn assert_fails(output: &Output, says: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    assert!(text.contains(says), "{text}");
}

#[tokio::test]
async fn the_program_tells_the_hash_of_its_own_file_without_a_database() {
    let mut command = binary();
    with_settings(&mut command, NO_DATABASE, NO_REDIS);
    command.env("TWIST_REVISION", COMMIT);
    let program = Program::start(command);
    let url = format!("{}/version", program.urls().0);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let version: Version = http.get(url).send().await.unwrap().json().await.unwrap();

    let path = Path::new(env!("CARGO_BIN_EXE_auth-service"));
    let file = std::fs::read(path).unwrap();
    assert_eq!(version.service, "auth-service");
    assert_eq!(version.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(version.revision.as_deref(), Some(COMMIT));
    assert_eq!(
        version.binary.sha256,
        hex::encode(domain::bytes::sha256(&file))
    );
    assert_eq!(version.binary.size, file.len() as u64);
    assert_eq!(
        version.binary.store_path.is_some(),
        path.starts_with("/nix/store")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_succeeds_while_the_service_is_ready_and_fails_once_it_is_gone() {
    let world = World::start().await;
    let address = world.service.running.public;
    let ready = probe(address);
    assert!(ready.status.success(), "{ready:?}");
    world.service.running.stop().await;
    assert_fails(&probe(address), "does not answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_fails_while_the_service_is_not_ready() {
    let service = Service::start_unready(&config(NO_DATABASE, NO_REDIS)).await;
    // Which of the two is said hangs on how fast the machine finds out that nothing listens.
    let output = probe(service.running.public);
    let slow = String::from_utf8_lossy(&output.stderr).contains("nothing within");
    assert_fails(&output, if slow { "does not answer" } else { "not ready" });
}

#[test]
fn the_probe_fails_in_time_when_nothing_comes_back() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    assert_fails(&probe(silent.local_addr().unwrap()), "nothing within 2 s");
}
