//! Which build answers.

use crate::world::{COMMIT, World};
use contracts::version::Version;
use serde_json::Value;
use service::access::Routes;
use service::health::ReadyCheck;
use sha2::{Digest as _, Sha256};

#[tokio::test]
async fn the_hash_is_that_of_the_file_that_runs() {
    let world = World::start(Routes::new(), Routes::new()).await;
    let file = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let expected = hex::encode(Sha256::digest(&file));
    for path in ["/version", "/api/v1/version"] {
        let response = world.get(path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let version: Version = response.json().await.unwrap();
        assert_eq!(version.service, "test-service");
        assert_eq!(version.version, env!("CARGO_PKG_VERSION"));
        assert_eq!(version.revision.as_deref(), Some(COMMIT));
        assert_eq!(version.binary.sha256, expected, "{path}");
        assert_eq!(version.binary.size, file.len() as u64);
        assert_eq!(version.binary.store_path, None, "{path}");
    }
}

#[tokio::test]
async fn an_auditor_reads_the_names_that_the_reference_gives() {
    let world = World::start(Routes::new(), Routes::new()).await;
    let body: Value = world
        .get("/version")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let names = |value: &Value| -> Vec<String> {
        let mut names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(&body), ["binary", "revision", "service", "version"]);
    assert_eq!(names(&body["binary"]), ["sha256", "size", "storePath"]);
}

#[tokio::test]
async fn a_service_that_is_not_ready_still_says_which_build_it_is() {
    let down = ReadyCheck::new("postgres", async || Err("down".to_owned()));
    let world = World::start_with(Routes::new(), Routes::new(), vec![down], |setup| {
        // The first answer reads the whole program, which is large in a test.
        setup.http.request_timeout_ms = 30_000;
    })
    .await;
    assert_eq!(world.get("/ready").send().await.unwrap().status(), 503);
    assert_eq!(world.get("/version").send().await.unwrap().status(), 200);
}
