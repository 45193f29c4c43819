//! The document that is served is the committed one, only ever grows, and holds for what is answered.

use crate::world::World;
use conformance::additive::{assert_additive, documents};
use conformance::{Contract, Violation, reference, structure};
use serde_json::{Value, json};

const PAGE: &str = "openapi/auth-service.json";

async fn served() -> Value {
    let world = World::start().await;
    let response = world.service.get("/openapi.json").await;
    response.json().await.unwrap()
}

#[tokio::test]
async fn the_committed_document_is_the_one_that_is_served() {
    reference::assert_current(PAGE, &served().await);
}

#[tokio::test]
async fn the_document_has_what_a_reader_and_a_generator_of_clients_need() {
    let faults = structure::faults(&served().await);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test]
async fn nothing_that_clients_of_version_1_rely_on_is_gone() {
    let served = served().await;
    let frozen = reference::baseline(PAGE, &served);
    assert_additive(PAGE, &documents(&frozen, &served));
}

#[tokio::test]
async fn an_answer_that_is_not_as_documented_is_noticed() {
    let world = World::start().await;
    let document = world
        .service
        .get("/openapi.json")
        .await
        .json()
        .await
        .unwrap();
    let contract = Contract::from_document(&document).unwrap();
    let answer = world.service.get("/.well-known/jwks.json").await;
    assert_eq!(answer.status(), 200);
    let body: Value = answer.json().await.unwrap();
    let check = |body: &Value| {
        let kind = Some("application/json");
        contract.check(
            "GET",
            "/.well-known/jwks.json",
            200,
            kind,
            body.to_string().as_bytes(),
        )
    };
    assert_eq!(check(&body), Ok(()));
    let mut less = body.clone();
    less["keys"][0].as_object_mut().unwrap().remove("kid");
    let mut more = body.clone();
    more["keys"][0]["d"] = json!("secret");
    let mut other = body.clone();
    other["keys"] = json!("none");
    for broken in [less, more, other] {
        let judged = check(&broken);
        assert!(
            matches!(judged, Err(Violation::Schema(_))),
            "{broken}: {judged:?}"
        );
    }
}
