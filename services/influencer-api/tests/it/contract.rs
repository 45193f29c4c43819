//! The document that is served is the committed one, only ever grows, and holds for what is answered.

use crate::support::Api;
use conformance::additive::{assert_additive, documents};
use conformance::{Contract, Violation, reference, structure};
use serde_json::{Value, json};

const PAGE: &str = "openapi/influencer-api.json";

async fn served() -> Value {
    let api = Api::new().await;
    let response = api.get("/openapi.json", "").await;
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
    let api = Api::new().await;
    let document = api.get("/openapi.json", "").await.json().await.unwrap();
    let contract = Contract::from_document(&document).unwrap();
    let user = api.user().await;
    let answer = api.get("/me/balance", &user.token).await;
    assert_eq!(answer.status(), 200);
    let body: Value = answer.json().await.unwrap();
    let check = |body: &Value| {
        let kind = Some("application/json");
        contract.check("GET", "/me/balance", 200, kind, body.to_string().as_bytes())
    };
    assert_eq!(check(&body), Ok(()));
    let mut less = body.clone();
    less.as_object_mut().unwrap().remove("available");
    let mut more = body.clone();
    more["frozen"] = json!(false);
    let mut other = body.clone();
    other["available"] = json!(0);
    for broken in [less, more, other] {
        let judged = check(&broken);
        assert!(
            matches!(judged, Err(Violation::Schema(_))),
            "{broken}: {judged:?}"
        );
    }
}
