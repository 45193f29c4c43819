//! The document that is served is the committed one, only ever grows, and so is the table of who may call what.

use crate::world::World;
use conformance::access::{assert_documented, table_page};
use conformance::additive::{assert_additive, documents};
use conformance::{reference, structure};
use serde_json::Value;
use service::access::{Policy, RouteRule};
use settlement_worker::{AppState, Config};

const PAGE: &str = "openapi/settlement-worker.json";

async fn served() -> Value {
    let world = World::new().await;
    let worker = world.worker(&[]).await;
    let answer = reqwest::get(format!("{}/openapi.json", worker.url)).await;
    answer.unwrap().json().await.unwrap()
}

async fn rules() -> Vec<RouteRule> {
    // Connects to nothing before it is asked to.
    let config = r#"
        database = { url = "postgres://nobody@127.0.0.1:1/x" }
        redis = { url = "redis://127.0.0.1:1" }
    "#;
    let file = std::env::temp_dir().join(format!("{}.toml", uuid::Uuid::new_v4()));
    std::fs::write(&file, config).unwrap();
    let config = Config::load(Some(&file)).unwrap();
    std::fs::remove_file(file).unwrap();
    let state = AppState::new(config).await.unwrap();
    settlement_worker::app(&state, None).rules().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_committed_document_is_the_one_that_is_served() {
    reference::assert_current(PAGE, &served().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_has_what_a_reader_and_a_generator_of_clients_need() {
    let faults = structure::faults(&served().await);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_clients_of_version_1_rely_on_is_gone() {
    let served = served().await;
    let frozen = reference::baseline(PAGE, &served);
    assert_additive(PAGE, &documents(&frozen, &served));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_table_is_the_one_that_is_enforced() {
    table_page("settlement-worker", &rules().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_operation_has_a_rule_and_says_which() {
    assert_documented(&rules().await, &served().await);
}

/// It has nothing to check callers with: a route that needs that would be answered 500.
#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_for_anyone() {
    for rule in rules().await {
        assert_eq!(rule.rule.policy, Policy::Public, "{}", rule.path);
    }
}
